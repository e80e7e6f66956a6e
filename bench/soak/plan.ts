import type { EpochMs, Millis } from '../../src/core/clock.ts';
import { pollMinutes } from './configuration.ts';
import type { Fault } from './faults.ts';
import { NOISE, type Noise } from './noise.ts';
import { planFaults } from './plan-faults.ts';
import { Chance } from './random.ts';
import { DAY, MINUTE, RECOVERY, type Moment } from './special-moments.ts';

/** One injected fault, which the product's results are compared with. Times are monotonic. */
export interface Injection {
  readonly fault: Fault;
  readonly moment: Moment;
  readonly from: Millis;
  readonly to: Millis;
  /** Time after `to` within which its incident must have ended; null: any time. */
  readonly endsWithin: Millis | null;
}

export interface PlannedNoise {
  readonly noise: Noise;
  readonly from: Millis;
  readonly to: Millis;
}

export interface Plan {
  readonly injections: readonly Injection[];
  readonly noise: readonly PlannedNoise[];
  /** Restarts of the daemon, shortly before or in the middle of a fault. */
  readonly restarts: readonly Millis[];
}

export interface PlanOptions {
  readonly seed: number;
  readonly start: EpochMs;
  readonly days: number;
  /** Time between two rounds. */
  readonly every: Millis;
  /** Delay of a round after its scheduled time. */
  readonly offset: Millis;
}

export function plan(options: PlanOptions): Plan {
  const chance = new Chance(options.seed);
  const { injections, restarts } = planFaults(options, chance);
  return { injections, restarts, noise: planNoise(options, chance, injections) };
}

function planNoise(
  { days, every, offset }: PlanOptions,
  chance: Chance,
  injections: readonly Injection[],
): readonly PlannedNoise[] {
  const planned: PlannedNoise[] = [];
  let queue: Noise[] = [];
  for (let free = 20 * MINUTE; free < days * DAY - RECOVERY; ) {
    if (queue.length === 0) queue = [...chance.shuffled(NOISE)];
    const next = queue.findIndex((noise) => isFree(noise, spanOf(noise, free, { every, offset }), injections));
    const [noise] = next === -1 ? [] : queue.splice(next, 1);
    if (noise === undefined) {
      queue = [...queue, ...chance.shuffled(NOISE)];
      free += 30 * MINUTE;
      continue;
    }
    const span = spanOf(noise, free, { every, offset });
    planned.push({ noise, ...span });
    free = span.to + chance.between(15, 70) * MINUTE;
  }
  return planned;
}

interface Span {
  readonly from: Millis;
  readonly to: Millis;
}

/** A fault that begins with a round begins just before it. */
function spanOf(
  { begins, lasts }: Noise,
  free: Millis,
  { every, offset }: { readonly every: Millis; readonly offset: Millis },
): Span {
  switch (begins) {
    case 'any':
      return { from: free, to: free + lasts };
    case 'poll': {
      const polls = pollMinutes(every / 1000) * MINUTE;
      const from = Math.ceil(free / polls) * polls;
      return { from, to: from + lasts };
    }
    case 'round': {
      const from = Math.ceil(free / every) * every;
      return { from, to: from + offset + lasts };
    }
  }
}

function isFree({ isHarmless }: Noise, { from, to }: Span, injections: readonly Injection[]): boolean {
  return (
    isHarmless ||
    injections.every((injection) => to < injection.from - 10 * MINUTE || from > injection.to + RECOVERY - 60 * MINUTE)
  );
}
