import { generalName } from '../../../src/checks/headline.ts';
import { describe, expect, test } from 'vitest';
import { CAUSE_IDS, wordsOf } from '../../../src/checks/registry.ts';
import { type LinkedStep, plainText } from '../../../src/document/document.ts';
import { procedurePage, runbookOf } from '../../../src/document/runbook.ts';

/** A step that refers to other steps of its page: `Follow steps 2 to 4 under "Mitigation".` */
const REFERENCE = /^Follow steps? (\d+)(?: (?:to|and) (\d+))? under "([^"]+)"\.$/u;

type Page = Pick<ReturnType<typeof runbookOf>, 'sections'>;

interface StepList {
  readonly heading: string;
  readonly steps: readonly LinkedStep[];
}

function listsOf(page: Page): readonly StepList[] {
  return page.sections.flatMap(({ title, parts }) =>
    parts.flatMap((part) => (part.kind === 'steps' ? [{ heading: title, steps: part.lines }] : [])),
  );
}

const PROCEDURE_LISTS = listsOf(procedurePage());

function stepsUnder(lists: readonly StepList[], heading: string, first: string, last: string): readonly LinkedStep[] {
  return lists.find((list) => list.heading === heading)?.steps.slice(Number(first) - 1, Number(last)) ?? [];
}

/** Returns the steps of the procedure that a step refers to. */
function procedureSteps({ see = [] }: LinkedStep): readonly LinkedStep[] {
  const [title = ''] = see.flatMap((word) => (typeof word === 'object' && 'procedure' in word ? [word.procedure] : []));
  const [, first = '1', last = first] = /steps? (\d+)(?: (?:to|and) (\d+))? of/u.exec(plainText(see)) ?? [];
  return stepsUnder(PROCEDURE_LISTS, title, first, plainText(see).includes(' of ') ? last : '99');
}

/** Returns the sentences that a list stands for: of a step with a sentence and a reference, its own and those after it. */
function sentencesOf(list: StepList, lists: readonly StepList[]): readonly string[] {
  return list.steps.flatMap((step): readonly string[] => {
    if (step.see !== undefined) {
      const steps = procedureSteps(step).map(({ text }) => text);
      return step.text === '' ? steps : [step.text, ...steps.slice(1)];
    }
    const [, first = '', last = first, heading = ''] = REFERENCE.exec(step.text) ?? [];
    if (first === '') return [step.text.replace(/ Use the commands from steps? .*$/u, '')];
    return stepsUnder(lists, heading, first, last).flatMap((meant) => sentencesOf({ heading, steps: [meant] }, lists));
  });
}

describe.each(CAUSE_IDS)('the runbook of %s', (id) => {
  test('says what it means, its impact and what to do', () => {
    const titles = runbookOf(id).sections.map(({ title }) => title);
    expect(titles.slice(0, 2)).toEqual(['Meaning', 'Impact']);
    expect(titles).toContain('Mitigation');
  });

  test('shows each block of commands once, and none that is a procedure', () => {
    const blocks = [...listsOf(runbookOf(id)), ...PROCEDURE_LISTS].flatMap(({ steps }) =>
      steps.flatMap(({ commands, undo }) => (commands === null ? [] : [JSON.stringify([commands, undo])])),
    );
    expect(blocks).toEqual([...new Set(blocks)]);
  });

  test('refers to steps that are there, and leaves none out', () => {
    const lists = listsOf(runbookOf(id));
    const { remedy, variants = [], name } = wordsOf(id);
    const lengths = new Map([
      [runbookOf(id).causes[0] === id ? 'Mitigation' : `If ${generalName(name)}`, remedy.length],
      ...variants.flatMap((one): readonly [string, number][] =>
        one.name === undefined || one.remedy === undefined ? [] : [[`If ${generalName(one.name)}`, one.remedy.length]],
      ),
    ]);
    for (const list of lists) {
      const sentences = sentencesOf(list, lists);
      expect(sentences.filter((text) => text === '' || REFERENCE.test(text))).toEqual([]);
      expect(sentences).toHaveLength(lengths.get(list.heading) ?? sentences.length);
    }
  });

  test('refers to commands that are there', () => {
    const lists = listsOf(runbookOf(id));
    const texts = lists.flatMap(({ steps }) => steps.map(({ text }) => text));
    for (const text of texts) {
      const [, number = '', heading = ''] = /Use the commands from step (\d+) under "([^"]+)"\.$/u.exec(text) ?? [];
      if (number === '') continue;
      expect(stepsUnder(lists, heading, number, number)[0]?.commands ?? null).not.toBeNull();
    }
  });
});

test.each(PROCEDURE_LISTS.map(({ heading }) => heading))('several runbooks refer to the procedure "%s"', (title) => {
  const pages = new Set(
    CAUSE_IDS.map(runbookOf).flatMap((page) =>
      JSON.stringify(listsOf(page)).includes(JSON.stringify({ procedure: title })) ? [page.name] : [],
    ),
  );
  expect(pages.size).toBeGreaterThan(1);
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
  expect(second?.heading).toBe('If TLS is probably intercepted');
  expect(second?.steps[0]?.see).toEqual(['Follow ', { procedure: "Capture FortiAuthenticator's connection" }, '.']);
  // The other variants differ only by the capture, and are not repeated.
  const headings = listsOf(page).map(({ heading }) => heading);
  expect(headings).toEqual([...new Set(headings)]);
});
