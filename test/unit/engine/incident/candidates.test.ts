import { describe, expect, test } from 'vitest';
import type { Cause, Diagnosis, PreconditionState } from '../../../../src/engine/model.ts';
import { next } from '../../../../src/engine/incident/machine.ts';
import {
  EMPTY_STATE,
  type Candidate,
  type Incident,
  type IncidentState,
} from '../../../../src/engine/incident/incident.ts';
import { causeOf, diagnosisOf } from '../../../support/checks/diagnosis-of.ts';
import { POLICY } from '../../../support/store/incident-timeline.ts';
import { incidentOf } from '../../../support/notify/outbox-entry-of.ts';

const CAUSE = causeOf('tls-intercepted');
const OTHER = causeOf('clock-skewed');

function view(at: number, causes: readonly Cause[], state?: PreconditionState): Diagnosis {
  return diagnosisOf(at, causes, state === undefined ? {} : { 'tls-genuine': state });
}

function agreed(diagnosis: Diagnosis): Diagnosis {
  return { ...diagnosis, corroborated: [CAUSE] };
}

function candidate(over: Partial<Candidate> = {}): Candidate {
  const { since = 1 } = over;
  return { cause: CAUSE, since, causeSince: since, streak: 1, looks: [1], clearBefore: null, ...over };
}

function after(diagnosis: Diagnosis, before: Partial<IncidentState> = {}, policy = POLICY): IncidentState {
  return next({ ...EMPTY_STATE, ...before }, { kind: 'diagnosis', diagnosis, fresh: null }, policy).state;
}

function looked(diagnosis: Diagnosis, ...candidates: readonly Candidate[]): IncidentState {
  return after(diagnosis, { candidates });
}

describe('a cause without an incident', () => {
  test('begins with the round that shows it for the first time', () => {
    const { candidates, incidents } = looked(view(5, [CAUSE, OTHER]));
    expect(candidates).toEqual([
      candidate({ since: 5, looks: [5] }),
      candidate({ cause: OTHER, since: 5, looks: [5] }),
    ]);
    expect(incidents).toEqual([]);
  });

  test('gets one when it was seen twice in a row, as it is told now', () => {
    const now = { ...CAUSE, summary: 'more of it' };
    const { candidates, incidents } = looked(view(2, [OTHER, now]), candidate());
    expect(incidents.map(({ cause }) => cause)).toEqual([now]);
    expect(candidates).toEqual([candidate({ cause: OTHER, since: 2, looks: [2] })]);
  });

  test('gets one a round sooner if two witnesses agree on it', () => {
    const { candidates, incidents } = looked(agreed(view(1, [CAUSE, OTHER])));
    expect(incidents.map(({ cause }) => cause)).toEqual([CAUSE]);
    expect(candidates).toEqual([candidate({ cause: OTHER })]);
    const patient = { ...POLICY, confirmations: 3 };
    expect(after(agreed(view(1, [CAUSE])), {}, patient).candidates).toEqual([candidate()]);
    const before = { candidates: [candidate()] };
    expect(after(agreed(view(2, [CAUSE])), before, patient).incidents).toHaveLength(1);
    expect(after(view(2, [CAUSE]), before, patient).incidents).toEqual([]);
  });

  test('counts anew after a round without it', () => {
    const [absent] = looked(view(2, []), candidate()).candidates;
    expect(absent).toEqual(candidate({ streak: 0, looks: [1, null], clearBefore: 2 }));
    expect(looked(view(3, [CAUSE]), absent ?? candidate()).candidates).toEqual([
      candidate({ since: 3, causeSince: 1, looks: [1, null, 3], clearBefore: 2 }),
    ]);
  });

  test.each(['unknown', 'blocked'] as const)('stays as it is in a round where its check is %s', (state) => {
    expect(looked(view(2, [], state), candidate()).candidates).toEqual([candidate()]);
    const seen = candidate({ streak: 9 });
    expect(looked(view(2, [], state), seen)).toMatchObject({ incidents: [], candidates: [seen] });
  });

  const often = [1, null, 3, null, 5, null, 7, null, null] as const;
  test.each<readonly [string, Candidate['looks'], boolean]>([
    ['five of the last ten rounds showed it', often, true],
    ['four of them showed it', [null, ...often.slice(1)], false],
    ['five showed it, the first of them too long ago', [1, null, ...often.slice(1)], false],
  ])('gets one, or not, if %s', (_, looks, isOpened) => {
    const { candidates, incidents } = looked(view(10, [CAUSE]), candidate({ streak: 0, looks }));
    expect(incidents).toHaveLength(isOpened ? 1 : 0);
    expect(candidates.map((one) => one.looks)).toEqual(isOpened ? [] : [[...looks, 10].slice(-10)]);
  });

  test('is forgotten if none of the last ten rounds showed it', () => {
    const nine = Array.from({ length: 9 }, () => null);
    expect(looked(view(11, []), candidate({ streak: 0, looks: [1, ...nine] })).candidates).toEqual([]);
    expect(looked(view(10, []), candidate({ streak: 0, looks: [1, ...nine.slice(1)] })).candidates).toHaveLength(1);
  });

  test('is left to its open incident', () => {
    const state = (status: 'open' | 'closed'): Partial<IncidentState> => ({
      candidates: [candidate()],
      incidents: [incidentOf(OTHER), { ...incidentOf(CAUSE), status }],
    });
    expect(after(view(2, [CAUSE]), state('open')).incidents).toHaveLength(2);
    expect(after(view(2, [CAUSE]), state('open')).candidates).toEqual([]);
    expect(after(view(2, [CAUSE]), state('closed')).incidents).toHaveLength(3);
  });
});

describe('an incident begins with', () => {
  test.each<readonly [string, Diagnosis, Partial<Candidate>, since: number, before: number | null]>([
    ['the first of the rounds in a row', view(8, [CAUSE]), { since: 7, looks: [1, null, 7] }, 7, 6],
    [
      'the first of all if it is intermittent',
      view(8, [CAUSE]),
      { streak: 0, looks: [null, 1, 2, 3, 4, null] },
      1,
      null,
    ],
    ['the last if two witnesses agree', agreed(view(8, [CAUSE])), { streak: 0, looks: [1, 2, 3, null] }, 8, 6],
  ])('%s', (_, diagnosis, over, since, before) => {
    const [incident] = looked(diagnosis, candidate({ clearBefore: 6, ...over })).incidents;
    expect([incident?.since, incident?.clear.before]).toEqual([since, before]);
  });

  test('the rounds that showed its cause again', () => {
    const returns = (at: number, over: Partial<Candidate>) =>
      looked(view(at, [CAUSE]), candidate(over)).incidents.map((incident) => incident.returns);
    expect(returns(8, { streak: 0, looks: [null, 1, 2, null, 4, 5, null, null] })).toEqual([[4, 8]]);
    expect(returns(2, { looks: [1] })).toEqual([[]]);
  });
});

describe('an incident stays open while another cause in its place is being confirmed', () => {
  const away: Incident = {
    ...incidentOf(causeOf('tls-blocked')),
    presence: 'absent',
    streak: 1,
    since: 0,
    lastSeen: 0,
  };
  test.each<readonly [string, readonly Cause[], readonly Candidate[], Incident['status']]>([
    ['which this round shows', [CAUSE], [], 'open'],
    ['but not if this round does not show it', [], [candidate({ looks: [4] })], 'closed'],
    ['but not if it is elsewhere', [OTHER], [], 'closed'],
    ['but not if it is a note', [{ ...CAUSE, severity: 'info' }], [], 'closed'],
  ])('%s', (_, causes, candidates, status) => {
    expect(after(view(5, causes), { incidents: [away], candidates }).incidents[0]?.status).toBe(status);
  });
});
