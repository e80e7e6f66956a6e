import { describe, expect, test } from 'vitest';
import { CAUSE_IDS, wordsOf } from '../../../src/checks/registry.ts';
import { runbookOf } from '../../../src/document/runbook.ts';
import type { RemedyStep } from '../../../src/engine/model.ts';

/** A step that refers to other steps: `Follow steps 2 to 4 under "Mitigation".` */
const REFERENCE = /^Follow steps? (\d+)(?: to (\d+))? under "([^"]+)"\.$/u;

function listsOf(
  id: (typeof CAUSE_IDS)[number],
): readonly { readonly heading: string; readonly steps: readonly RemedyStep[] }[] {
  return runbookOf(id).sections.flatMap(({ title, parts }) =>
    parts.flatMap((part) => (part.kind === 'steps' ? [{ heading: title, steps: part.lines }] : [])),
  );
}

describe.each(CAUSE_IDS)('the runbook of %s', (id) => {
  test('says what it means, its impact and what to do', () => {
    const titles = runbookOf(id).sections.map(({ title }) => title);
    expect(titles.slice(0, 2)).toEqual(['Meaning', 'Impact']);
    expect(titles).toContain('Mitigation');
  });

  test('shows each block of commands once', () => {
    const blocks = listsOf(id).flatMap(({ steps }) =>
      steps.flatMap(({ commands, undo }) => (commands === null ? [] : [JSON.stringify([commands, undo])])),
    );
    expect(blocks).toEqual([...new Set(blocks)]);
  });

  test('refers to steps that are there, and leaves none out', () => {
    const lists = listsOf(id);
    const { remedy, kinds = {} } = wordsOf(id);
    const lengths = new Map([
      ['Mitigation', remedy.length],
      ...Object.values(kinds).map((kind): [string, number] => [`If ${kind.title}`, kind.remedy.length]),
    ]);
    for (const { heading, steps } of lists) {
      const meant = steps.flatMap(({ text }) => {
        const [, first = '', last = first, other] = REFERENCE.exec(text) ?? [];
        if (first === '') return [text];
        const target = lists.find((list) => list.heading === other)?.steps.slice(Number(first) - 1, Number(last)) ?? [];
        return target.map((step) => step.text);
      });
      expect(meant.filter((text) => REFERENCE.test(text))).toEqual([]);
      expect(meant).toHaveLength(lengths.get(heading) ?? meant.length);
    }
  });

  test('refers to commands that are there', () => {
    const lists = listsOf(id);
    const texts = lists.flatMap(({ steps }) => steps.map(({ text }) => text));
    for (const text of texts) {
      const [, number = '', heading] = /Use the commands from step (\d+) under "([^"]+)"\.$/u.exec(text) ?? [];
      if (number === '') continue;
      const target = lists.find((list) => list.heading === heading)?.steps[Number(number) - 1];
      expect(target?.commands ?? null).not.toBeNull();
    }
  });
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
