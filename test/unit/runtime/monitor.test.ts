import { describe, expect, test } from 'vitest';
import type { EpochMs } from '../../../src/core/clock.ts';
import { createLivenessTracker, deservesAnotherRound } from '../../../src/runtime/monitor.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { START } from '../../support/store/incident-timeline.ts';
import { HOUR, MINUTE, SECOND } from '../../support/time/units.ts';
import type { Diagnosis } from '../../../src/engine/model.ts';
import type { RoundResult } from '../../../src/checks/round-result.ts';
import { causeOf, diagnosisOf } from '../../support/checks/diagnosis-of.ts';
import { round } from '../../support/checks/observed.ts';

const PERIOD = 30 * SECOND;
const everyPeriod = (now: EpochMs): EpochMs => (Math.floor(now / PERIOD) + 1) * PERIOD;
const MORNING = START + 14 * HOUR;
const exceptAtNight = (now: EpochMs): EpochMs => {
  const next = everyPeriod(now);
  return next > START + MINUTE && next < MORNING ? MORNING : next;
};

/** Times are in seconds. */
test.each<readonly [string, string, (now: EpochMs) => EpochMs | null]>([
  ['gives the first round a minute', '59.999, alive, 0.001, dead', everyPeriod],
  ['ends after three rounds', 'beat, 30, beat, 90, alive, 15, dead, beat, alive', everyPeriod],
  ['counts no round that was asked for', 'beat, 30, beat, 28, beat, 62, alive, 15, dead', everyPeriod],
  ['lasts through a night without rounds', 'beat, 30, beat, 30, beat, 50340, alive', exceptAtNight],
  [
    'ends in the morning after a night',
    'beat, 60, beat, 50340, alive, 60, alive, 15, dead, beat, alive',
    exceptAtNight,
  ],
  ['does not believe the wall clock', 'beat, set 3600, alive, set -7200, 300, dead', everyPeriod],
  ['lasts when no round is planned', 'beat, 86400, alive', () => null],
])('createLivenessTracker() %s: %s', (_, steps, nextRun) => {
  const clock = handClock(START);
  const tracker = createLivenessTracker(clock, (after = clock.now()) => nextRun(after), 14_500);
  const seen = steps.split(', ').map((step) => {
    if (step === 'alive' || step === 'dead') return tracker.isAlive() ? 'alive' : 'dead';
    if (step === 'beat') tracker.beat();
    else if (step.startsWith('set ')) clock.step(Number(step.slice(4)) * SECOND);
    else clock.advance(Number(step) * SECOND);
    return step;
  });
  expect(seen.join(', ')).toBe(steps);
});

const CRITICAL = causeOf('tls-intercepted');
const OTHER = causeOf('mail-unreachable', { subject: 'mail.test:25' });
const WARNING = causeOf('answer-unexpected', { severity: 'warning' });
const STALLED = { stalledMs: 5_000 };

function looked(diagnosis: Partial<Diagnosis> = {}, observed: Parameters<typeof round>[0] = {}): RoundResult {
  return {
    observations: round(observed),
    targets: [],
    diagnosis: { ...diagnosisOf(START, diagnosis.causes ?? []), ...diagnosis },
  };
}

describe('another look at once', () => {
  test.each<readonly [string, RoundResult | null, RoundResult, boolean]>([
    ['what is new and critical', looked(), looked({ causes: [CRITICAL] }), true],
    ['what the first round shows', null, looked({ causes: [CRITICAL] }), true],
    ['what is known', looked({ causes: [CRITICAL] }), looked({ causes: [CRITICAL] }), false],
    ['a warning', looked(), looked({ causes: [WARNING] }), false],
    ['what two witnesses agree on', looked(), looked({ causes: [CRITICAL], corroborated: [CRITICAL] }), false],
    [
      'what one of them alone tells, beside it',
      looked(),
      looked({ causes: [CRITICAL, OTHER], corroborated: [CRITICAL] }),
      true,
    ],
    ['a round in which this process stalled', looked(), looked({}, STALLED), true],
    ['one that stalled as the one before did', looked({}, STALLED), looked({}, STALLED), false],
  ])('is taken at %s, or not', (_, before, now, wanted) => {
    expect(deservesAnotherRound(before, now)).toBe(wanted);
  });
});
