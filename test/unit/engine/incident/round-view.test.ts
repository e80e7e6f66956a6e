import { describe, expect, test } from 'vitest';
import type { PreconditionState, Cause, FindingLevel } from '../../../../src/engine/model.ts';
import type { CausePresence } from '../../../../src/engine/incident/incident.ts';
import {
  type PartlyFresh,
  presenceOf,
  roundView,
  showsStill,
  type RoundView,
} from '../../../../src/engine/incident/round-view.ts';
import { CHECKS } from '../../../../src/checks/registry.ts';
import { causeOf, diagnosisOf } from '../../../support/checks/diagnosis-of.ts';
import { START } from '../../../support/store/incident-timeline.ts';
import { finding } from '../../../support/checks/judged-round.ts';

const CAUSE = causeOf('tls-intercepted', { subject: 'push.fortinet.com:443' });

interface Round {
  readonly state: PreconditionState;
  readonly causes?: readonly Cause[];
  readonly level?: FindingLevel;
  readonly subject?: string;
  readonly suggests?: 'tls-intercepted' | 'tls-blocked' | null;
  readonly fresh?: readonly string[] | null;
}

/** Returns the view of a round with one finding of the certificate check. */
function view({ state, causes = [], level = 'note', subject, suggests = null, fresh = null }: Round): RoundView {
  const diagnosis = diagnosisOf(START, causes);
  const found = finding(suggests, { level, subject: subject ?? CAUSE.subject });
  const preconditions = diagnosis.preconditions.map((status) =>
    status.id === 'tls-genuine' ? { ...status, state, findings: [found] } : status,
  );
  return roundView({ diagnosis: { ...diagnosis, preconditions }, fresh, checks: CHECKS });
}

describe('presenceOf()', () => {
  test.each<readonly [string, Round, CausePresence]>([
    ['named by the round', { state: 'broken', causes: [CAUSE] }, 'seen'],
    ['of a check that was not looked at again', { state: 'broken', causes: [CAUSE], fresh: ['clock'] }, 'unjudged'],
    ['of a check that alone was looked at', { state: 'ok', fresh: ['tls-genuine'] }, 'absent'],
    ['of a check that saw nothing', { state: 'unknown' }, 'unjudged'],
    ['of a check that something deeper blocks', { state: 'blocked' }, 'hidden'],
    ['of a check that is not configured any more', { state: 'not-configured' }, 'absent'],
    ['of such a check, which nobody is asked for', { state: 'not-configured', fresh: ['clock'] }, 'absent'],
    ['of a check where all is fine', { state: 'ok' }, 'absent'],
    ['that a finding shows still', { state: 'broken', level: 'broken', suggests: 'tls-intercepted' }, 'hidden'],
    ['that a milder one shows still', { state: 'warning', level: 'warning', suggests: 'tls-intercepted' }, 'hidden'],
    ['where another fault shows', { state: 'broken', level: 'broken', suggests: 'tls-blocked' }, 'hidden'],
    [
      'that shows at another target',
      { state: 'broken', level: 'broken', suggests: 'tls-intercepted', subject: 'other.example:443' },
      'absent',
    ],
    ['of a target that could not be judged', { state: 'ok', level: 'unknown' }, 'unjudged'],
    ['where another target could not be judged', { state: 'ok', level: 'unknown', subject: 'a:1' }, 'absent'],
  ])('a cause %s', (_, round, presence) => {
    expect(presenceOf(CAUSE, view(round))).toBe(presence);
  });

  test.each<readonly [string, readonly Cause[], PartlyFresh, CausePresence]>([
    ['seen at a unit that was asked again', [CAUSE], { seen: [CAUSE], gone: [] }, 'seen'],
    ['seen at a unit that was not', [CAUSE], { seen: [], gone: [] }, 'unjudged'],
    [
      'seen at a unit that was asked before the last one of all',
      [CAUSE],
      { seen: [], gone: ['tls-genuine'] },
      'unjudged',
    ],
    ['not seen by some', [], { seen: [], gone: [] }, 'unjudged'],
    ['not seen by any', [], { seen: [], gone: ['tls-genuine'] }, 'absent'],
  ])('a cause %s', (_, causes, partlyFresh, presence) => {
    const state = causes.length === 0 ? 'ok' : 'broken';
    expect(presenceOf(CAUSE, { ...view({ state, causes, fresh: ['clock'] }), partlyFresh })).toBe(presence);
  });

  test('a cause of a check that the round does not have', () => {
    expect(presenceOf({ ...CAUSE, precondition: 'gone' }, view({ state: 'ok' }))).toBe('unjudged');
  });
});

describe('showsStill()', () => {
  test('what another check found says nothing', () => {
    const round = view({ state: 'blocked', level: 'broken', suggests: 'tls-intercepted' });
    expect(showsStill({ ...CAUSE, precondition: 'clock' }, round)).toBe(false);
  });
});

test('roundView() prefers a proven cause of a fault to what anybody can write', () => {
  const forged = causeOf('tls-blocked', { subject: CAUSE.subject });
  const diagnosis = { ...diagnosisOf(START, [forged, CAUSE]), unproven: [forged] };
  expect(roundView({ diagnosis, fresh: null, checks: CHECKS }).causes.map(({ id }) => id)).toEqual([CAUSE.id]);
});

test('roundView() keeps one cause of each fault, the first one, and bounded', () => {
  const again = { ...CAUSE, summary: 'again' };
  const other = { ...CAUSE, subject: 'x'.repeat(900) };
  const { causes } = view({ state: 'broken', causes: [CAUSE, again, other] });
  expect(causes.map(({ summary, subject }) => [summary, subject.length])).toEqual([
    [CAUSE.summary, CAUSE.subject.length],
    [CAUSE.summary, 256],
  ]);
});
