import { describe, expect, test } from 'vitest';
import type { Cause, PreconditionState } from '../../../../src/engine/model.ts';
import { beginOf, isBeingConfirmed, lookForCandidates, returnsOf } from '../../../../src/engine/incident/machine.ts';
import { EMPTY_STATE, type Candidate, type IncidentState } from '../../../../src/engine/incident/incident.ts';
import { roundView, type RoundView } from '../../../../src/engine/incident/round-view.ts';
import { CHECKS } from '../../../../src/checks/registry.ts';
import { causeOf, diagnosisOf } from '../../../support/checks/diagnosis-of.ts';
import { POLICY } from '../../../support/store/incident-timeline.ts';
import { incidentOf } from '../../../support/notify/outbox-entry-of.ts';

const CAUSE = causeOf('tls-intercepted');
const OTHER = causeOf('clock-skewed');

function view(at: number, causes: readonly Cause[], state?: PreconditionState): RoundView {
  const states = state === undefined ? {} : { 'tls-genuine': state };
  return roundView({ diagnosis: diagnosisOf(at, causes, states), fresh: null, checks: CHECKS });
}

function candidate(over: Partial<Candidate> = {}): Candidate {
  return { cause: CAUSE, since: 1, streak: 1, looks: [1], clearBefore: null, ...over };
}

function looked(round: RoundView, ...candidates: readonly Candidate[]): ReturnType<typeof lookForCandidates> {
  return lookForCandidates({ ...EMPTY_STATE, candidates }, round, POLICY);
}

describe('lookForCandidates()', () => {
  test('begins with what a round shows for the first time', () => {
    expect(looked(view(5, [CAUSE, OTHER]))).toEqual({
      ready: [],
      waiting: [candidate({ since: 5, looks: [5] }), candidate({ cause: OTHER, since: 5, looks: [5] })],
    });
  });

  test('is ready with what it saw twice in a row, as it is told now', () => {
    const now = { ...CAUSE, summary: 'more of it' };
    expect(looked(view(2, [OTHER, now]), candidate())).toEqual({
      ready: [candidate({ cause: now, streak: 2, looks: [1, 2] })],
      waiting: [candidate({ cause: OTHER, since: 2, looks: [2] })],
    });
  });

  test('is ready one round sooner with what two witnesses agree on', () => {
    const agreed = { ...view(1, [CAUSE, OTHER]), corroborated: [CAUSE] };
    expect(looked(agreed)).toEqual({
      ready: [candidate()],
      waiting: [candidate({ cause: OTHER })],
    });
    const patient = { ...POLICY, confirmations: 3 };
    const [waiting] = lookForCandidates(EMPTY_STATE, agreed, patient).waiting;
    expect(waiting).toEqual(candidate());
    const state = { ...EMPTY_STATE, candidates: [candidate()] };
    expect(lookForCandidates(state, { ...view(2, [CAUSE]), corroborated: [CAUSE] }, patient).ready).toHaveLength(1);
    expect(lookForCandidates(state, view(2, [CAUSE]), patient).ready).toEqual([]);
  });

  test('counts anew after a round without it', () => {
    const [absent] = looked(view(2, []), candidate()).waiting;
    expect(absent).toEqual(candidate({ streak: 0, looks: [1, null], clearBefore: 2 }));
    expect(looked(view(3, [CAUSE]), absent ?? candidate()).waiting).toEqual([
      candidate({ since: 3, looks: [1, null, 3], clearBefore: 2 }),
    ]);
  });

  test.each(['unknown', 'blocked'] as const)('leaves it as it is in a round where its check is %s', (state) => {
    expect(looked(view(2, [], state), candidate()).waiting).toEqual([candidate()]);
    const seen = candidate({ streak: 9 });
    expect(looked(view(2, [], state), seen)).toEqual({ ready: [], waiting: [seen] });
  });

  const often = [1, null, 3, null, 5, null, 7, null, null] as const;
  test.each<readonly [string, Candidate['looks'], boolean]>([
    ['five of the last ten rounds showed', often, true],
    ['four of them showed', [null, ...often.slice(1)], false],
    ['five showed, the first of them too long ago', [1, null, ...often.slice(1)], false],
  ])('is ready with what %s, or not', (_, looks, ready) => {
    const found = looked(view(10, [CAUSE]), candidate({ streak: 0, looks }));
    expect(found.ready.length === 1).toBe(ready);
    expect([...found.ready, ...found.waiting][0]?.looks).toEqual([...looks, 10].slice(-10));
  });

  test('forgets what none of the last ten rounds showed', () => {
    const nine = Array.from({ length: 9 }, () => null);
    expect(looked(view(11, []), candidate({ streak: 0, looks: [1, ...nine] })).waiting).toEqual([]);
    expect(looked(view(10, []), candidate({ streak: 0, looks: [1, ...nine.slice(1)] })).waiting).toHaveLength(1);
  });

  test('leaves to its open incident what has one', () => {
    const incident = incidentOf(CAUSE);
    const state = (status: 'open' | 'closed'): IncidentState => ({
      ...EMPTY_STATE,
      candidates: [candidate()],
      incidents: [incidentOf(OTHER), { ...incident, status }],
    });
    expect(lookForCandidates(state('open'), view(2, [CAUSE]), POLICY)).toEqual({ ready: [], waiting: [] });
    expect(lookForCandidates(state('closed'), view(2, [CAUSE]), POLICY).ready).toHaveLength(1);
  });
});

describe('beginOf()', () => {
  test.each<readonly [string, Partial<Candidate>, number, number | null]>([
    ['the first of the rounds in a row', { since: 7, streak: 2, looks: [1, null, 7, 8] }, 7, 6],
    ['the first of all where it comes and goes', { since: 8, streak: 1, looks: [null, 1, 2, 3, 4, null, 8] }, 1, null],
    ['the last where two witnesses agree on it', { since: 8, streak: 1, looks: [1, 2, 3, null, 8] }, 8, 6],
    ['the last where no other is known', { since: 8, streak: 1, looks: [] }, 8, 6],
  ])('%s', (_, over, since, clearBefore) => {
    expect(beginOf(candidate({ clearBefore: 6, ...over }), POLICY)).toEqual({ since, clearBefore });
  });
});

test('returnsOf() are the rounds that showed it again', () => {
  expect(returnsOf(candidate({ looks: [null, 1, 2, null, 4, 5, null, null, 8] }))).toEqual([4, 8]);
  expect(returnsOf(candidate({ looks: [1, 2] }))).toEqual([]);
});

describe('isBeingConfirmed()', () => {
  test.each<readonly [string, Candidate, boolean]>([
    ['what this round shows', candidate({ looks: [1, 5] }), true],
    ['what it does not', candidate({ looks: [5, null] }), false],
    ['what an earlier one showed', candidate({ looks: [4] }), false],
    ['no note', candidate({ cause: { ...CAUSE, severity: 'info' }, looks: [5] }), false],
  ])('%s', (_, one, confirmed) => {
    expect(isBeingConfirmed(one, view(5, [CAUSE]))).toBe(confirmed);
  });
});
