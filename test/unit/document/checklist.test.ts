import { expect, test } from 'vitest';
import { checklistOf } from '../../../src/document/checklist.ts';
import { RANK } from '../../../src/document/states.ts';
import type { Diagnosis, Finding, PreconditionState } from '../../../src/engine/model.ts';

const UNTOLD: Finding = {
  rule: 'r',
  subject: 's',
  claim: 'It is so.',
  expected: 'x',
  level: 'unknown',
  suggests: null,
};

function statusOf(
  id: string,
  state: PreconditionState,
  findings: readonly Finding[] = [],
): Diagnosis['preconditions'][number] {
  return { id, state, summary: `summary of ${id}`, blockedBy: [], findings };
}

function diagnosisOf(...preconditions: Diagnosis['preconditions']): Diagnosis {
  return { ready: 'unknown', site: 'hq', at: 0, preconditions, causes: [] };
}

test('lists the worst first on the page, in the order of the path elsewhere, and gathers what needs no attention', () => {
  const diagnosis = diagnosisOf(...RANK.toReversed().map((state) => statusOf(state, state)));
  const [page, path, whole] = (['worst-first', 'path', 'whole'] as const).map((form) => checklistOf(diagnosis, form));
  const shown = RANK.filter((state) => state !== 'ok' && state !== 'not-configured');
  expect(page?.items.map(({ id }) => id)).toEqual(shown);
  expect(path?.items.map(({ id }) => id)).toEqual(shown.toReversed());
  expect(page?.gathered.map(({ names }) => names)).toEqual(['ok', 'not-configured']);
  expect(whole?.items).toHaveLength(RANK.length);
  expect(whole?.gathered).toEqual([]);
});

test('has what neither the summary nor the cause of a deeper fault says, and a line for a check that has notes', () => {
  const note = { ...UNTOLD, level: 'note' } as const;
  const summed = { ...UNTOLD, claim: 'Summary of c' };
  const { items, gathered } = checklistOf(
    diagnosisOf(
      statusOf('a', 'ok', [note]),
      statusOf('b', 'unknown', [UNTOLD]),
      statusOf('c', 'unknown', [summed]),
      statusOf('d', 'blocked', [UNTOLD, note]),
    ),
    'path',
  );
  expect(items.map(({ id, notes }) => [id, notes])).toEqual([
    ['a', [note]],
    ['b', [UNTOLD]],
    ['c', []],
    ['d', [note]],
  ]);
  expect(gathered).toEqual([]);
});
