import { describe, expect, test } from 'vitest';
import type { EpochMs } from '../../../src/core/clock.ts';
import { createLivenessTracker } from '../../../src/runtime/monitor.ts';
import { handClock, type HandClock } from '../../support/time/hand-clock.ts';
import { START } from '../../support/store/incident-timeline.ts';
import { HOUR, MINUTE, SECOND } from '../../support/time/units.ts';

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
