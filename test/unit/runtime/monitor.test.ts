import { describe, expect, test } from 'vitest';
import type { EpochMs } from '../../../src/core/clock.ts';
import { createLivenessTracker, deservesAnotherRound } from '../../../src/runtime/monitor.ts';
import { handClock, type HandClock } from '../../support/time/hand-clock.ts';
import { START } from '../../support/store/incident-timeline.ts';
import { HOUR, MINUTE, SECOND } from '../../support/time/units.ts';
import type { Diagnosis } from '../../../src/engine/model.ts';
import type { RoundResult } from '../../../src/report/report-contents.ts';
import { causeOf, diagnosisOf } from '../../support/checks/diagnosis-of.ts';
import { round } from '../../support/checks/observed.ts';

type LivenessTracker = ReturnType<typeof createLivenessTracker>;

const PERIOD = 30 * SECOND;

function pulseOf(nextRun: (now: EpochMs) => EpochMs | null): {
  readonly clock: HandClock;
  readonly pulse: LivenessTracker;
} {
  const clock = handClock(START);
  return { clock, pulse: createLivenessTracker(clock, () => nextRun(clock.now()), 14_500) };
}

function everyPeriod(now: EpochMs): EpochMs {
  return (Math.floor(now / PERIOD) + 1) * PERIOD;
}

describe('createRoundPulse', () => {
  test('gives the first round a minute', () => {
    const { clock, pulse } = pulseOf(everyPeriod);
    clock.advance(MINUTE - 1);
    expect(pulse.isAlive()).toBe(true);
    clock.advance(1);
    expect(pulse.isAlive()).toBe(false);
  });

  test('ends once three rounds have stayed away, and begins again with the next', () => {
    const { clock, pulse } = pulseOf(everyPeriod);
    pulse.beat();
    clock.advance(PERIOD);
    pulse.beat();
    clock.advance(3 * PERIOD);
    expect(pulse.isAlive()).toBe(true);
    clock.advance(PERIOD / 2);
    expect(pulse.isAlive()).toBe(false);
    pulse.beat();
    expect(pulse.isAlive()).toBe(true);
  });

  test('is not misled by rounds that were asked for in between', () => {
    const { clock, pulse } = pulseOf(everyPeriod);
    pulse.beat();
    clock.advance(PERIOD);
    pulse.beat();
    clock.advance(PERIOD - 2 * SECOND);
    pulse.beat();
    clock.advance(2 * SECOND + 2 * PERIOD);
    expect(pulse.isAlive()).toBe(true);
    clock.advance(PERIOD / 2);
    expect(pulse.isAlive()).toBe(false);
  });

  test('lasts through a night without rounds', () => {
    const { clock, pulse } = pulseOf((now) => (now < START + MINUTE ? everyPeriod(now) : START + 14 * HOUR));
    pulse.beat();
    clock.advance(PERIOD);
    pulse.beat();
    clock.advance(PERIOD);
    pulse.beat();
    clock.advance(14 * HOUR - MINUTE);
    expect(pulse.isAlive()).toBe(true);
  });

  test('does not believe the wall clock', () => {
    const { clock, pulse } = pulseOf(everyPeriod);
    pulse.beat();
    clock.step(HOUR);
    expect(pulse.isAlive()).toBe(true);
    clock.step(-2 * HOUR);
    clock.advance(5 * MINUTE);
    expect(pulse.isAlive()).toBe(false);
  });

  test('lasts when no round is planned', () => {
    const { clock, pulse } = pulseOf(() => null);
    pulse.beat();
    clock.advance(24 * HOUR);
    expect(pulse.isAlive()).toBe(true);
  });
});

const CRITICAL = causeOf('tls-intercepted');
const OTHER = causeOf('mail-unreachable', { subject: 'mail.test:25' });
const WARNING = causeOf('answer-unexpected', { severity: 'warning' });
const STALLED = { stalledMs: 5_000 };

function looked(diagnosis: Partial<Diagnosis> = {}, observed: Parameters<typeof round>[0] = {}): RoundResult {
  return {
    observations: round(observed),
    judged: { assessments: [], tls: [] },
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
