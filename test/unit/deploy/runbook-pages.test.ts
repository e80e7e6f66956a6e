import { describe, expect, test } from 'vitest';
import { CAUSE_IDS, wordsOf } from '../../../src/checks/registry.ts';
import type { RemedyStep } from '../../../src/engine/model.ts';
import { listPage, type Page, runbookOf } from '../../../tools/generate/runbooks/pages.ts';

interface StepList {
  readonly heading: string;
  readonly steps: readonly RemedyStep[];
}

function listsOf({ sections }: Page): readonly StepList[] {
  return sections.flatMap(({ title, parts }) =>
    parts.flatMap((part) => (part.kind === 'steps' ? [{ heading: title, steps: part.lines }] : [])),
  );
}

describe.each(CAUSE_IDS)('the runbook of %s', (id) => {
  const page = runbookOf(id);
  const lists = listsOf(page);

  test('says what it means, its impact and what to do', () => {
    const titles = page.sections.map(({ title }) => title);
    expect(titles.slice(0, 3)).toEqual(['Meaning', 'Impact', 'Mitigation']);
    expect(titles).toEqual([...new Set(titles)]);
  });

  test('is complete: each list has all steps of a remedy, and refers to no other list', () => {
    const remedies = page.causes.flatMap((cause) => {
      const { remedy, variants = [] } = wordsOf(cause);
      return [remedy, ...variants.map((variant) => variant.remedy ?? remedy)];
    });
    const lengths = new Set(remedies.map(({ length }) => length));
    expect(lists.filter(({ steps }) => !lengths.has(steps.length))).toEqual([]);
    const texts = lists.flatMap(({ steps }) => steps.map(({ text }) => text));
    expect(texts.filter((text) => text === '' || /steps? \d/u.test(text))).toEqual([]);
    // A block is repeated with each list that needs it.
    const withCommands = remedies.filter((steps) => steps.some((step) => typeof step !== 'string'));
    expect(lists.some(({ steps }) => steps.some(({ commands }) => commands !== null))).toBe(withCommands.length > 0);
  });
});

test('a block of commands is repeated in each list that needs it', () => {
  const blocks = listsOf(runbookOf('egress-blocked')).flatMap(({ steps }) =>
    steps.flatMap(({ commands, undo }) => (undo === null ? [] : [commands])),
  );
  expect(blocks.length).toBeGreaterThan(new Set(blocks).size);
});

test('causes that share a runbook have one page', () => {
  const page = runbookOf('license-expires-in-7-days');
  expect(page.name).toBe('license-expires');
  expect(page.causes).toEqual([
    'license-expires-in-90-days',
    'license-expires-in-30-days',
    'license-expires-in-7-days',
  ]);
  expect(runbookOf('license-expires-in-90-days')).toEqual(page);
  expect(runbookOf('license-expired').causes).toEqual(['license-expired']);
});

test('a cause whose remedy differs has steps of its own on the page that it shares', () => {
  const page = runbookOf('tls-interception-suspected');
  expect(page.causes).toEqual(['tls-intercepted', 'tls-interception-suspected']);
  const [first, second] = listsOf(page);
  expect(first?.heading).toBe('Mitigation');
  // The suspicion is confirmed with a capture first. Its variants differ only by that, and are not repeated.
  expect(second?.steps.slice(-3)).toEqual(first?.steps);
  expect(second?.steps[0]?.commands).toContain('diagnose sniffer packet');
});

test('the list has each cause', () => {
  const links = listPage().sections.flatMap(({ parts }) => parts.flatMap(({ lines }) => lines.flat()));
  expect(new Set(links.flatMap((word) => (typeof word === 'object' && 'cause' in word ? [word.cause] : [])))).toEqual(
    new Set(CAUSE_IDS),
  );
});

test('sources with an address are links', () => {
  const sources = CAUSE_IDS.flatMap((id) =>
    runbookOf(id).sections.flatMap(({ title, parts }) =>
      title === 'Sources' ? parts.flatMap(({ lines }) => lines.flat()) : [],
    ),
  );
  expect(sources.filter((word) => typeof word === 'object' && 'url' in word && !URL.canParse(word.url))).toEqual([]);
  expect(sources.filter((word) => typeof word === 'string' && /^(?:ta-p|docs:|https:)/u.test(word))).toEqual([]);
});
