import type { EpochMs, Millis } from '../../src/core/clock.ts';
import { Chance, Deck } from './chance.ts';
import { offsetOfRounds, pollMinutes, SILENT_AFTER_HOURS, TIMEZONE } from './configuration.ts';
import { type Fault, faultNamed, FAULTS, type Finder, PAIRS } from './faults.ts';
import { type Noise, NOISE } from './noise.ts';

export const MINUTE: Millis = 60_000;
const HOUR: Millis = 60 * MINUTE;
export const DAY: Millis = 24 * HOUR;

/** `in a row`: one of several short outages, one after the other. */
type Moment =
  | 'ordinary'
  | 'midnight'
  | 'summer time'
  | 'inside maintenance'
  | 'outlasts maintenance'
  | 'after a restart'
  | 'two at once'
  | 'in a row';

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
  /** Seconds between two rounds. */
  readonly everySeconds: number;
}

/** Time after the end of a fault until everything is back to normal and the next fault may begin. */
const RECOVERY: Millis = 130 * MINUTE;
/** Duration of a fault, by finder. */
const LASTS: Readonly<Record<Finder, readonly [Millis, Millis]>> = {
  rounds: [50 * MINUTE, 110 * MINUTE],
  appliance: [50 * MINUTE, 120 * MINUTE],
  registration: [100 * MINUTE, 180 * MINUTE],
  log: [35 * MINUTE, 80 * MINUTE],
  silence: [(SILENT_AFTER_HOURS + 1) * HOUR, (SILENT_AFTER_HOURS + 2) * HOUR],
};
/** Longest time from the start of a fault to the earliest start of the next one, which keeps a special moment free. */
const LONGEST: Millis = LASTS.silence[1] + RECOVERY;
const PAUSE: readonly [Millis, Millis] = [10 * MINUTE, 400 * MINUTE];
/** In rounds. A confirmed fault is then also observed to continue. */
const SHORTEST = 4;
const PAIRED = 0.12;
/** Series of short outages: their share, their number, and the duration of outages and gaps, in rounds. */
const IN_A_ROW = { share: 0.12, most: 4, lasts: [3, 5], gone: [3.2, 5] } as const;
/** Faults that close the path briefly. */
const SHORT_OUTAGES = ['egress-blocked', 'tls-intercepted', 'tls-reset', 'tls-silent'] as const;
/** In rounds: each outage has ended after the second round without the fault. */
const ENDS_WITHIN = 3;
const RESTARTED = 0.2;
const MIDNIGHTS = 0.3;
const STEP: Millis = 10 * MINUTE;
/** ISO 8601. */
const SUNDAY = 7;

export function plan(options: PlanOptions): Plan {
  const chance = new Chance(options.seed);
  const injections = planFaults(options, chance);
  // Shortly before the fault begins, and in the middle of it.
  const restarts = injections
    .filter(({ moment }) => moment === 'after a restart')
    .flatMap(({ from, to }) => [from - 20_000, from + Math.floor((to - from) / 2)]);
  return { injections, restarts, noise: planNoise(options, chance, injections) };
}

/** Plans faults one after the other, each at least once in thirty days, with time to recover in between. */
function planFaults(options: PlanOptions, chance: Chance): readonly Injection[] {
  const { days, everySeconds } = options;
  const every = everySeconds * 1000;
  const specials = specialMoments(options, chance);
  const [faults, pairs] = [new Deck(FAULTS, chance), new Deck(PAIRS, chance)];
  const injections: Injection[] = [];

  function next(free: Millis): readonly Injection[] {
    const ordinary = free + chance.between(...PAUSE);
    const special = specials.find(({ at }) => at >= free);
    if (special !== undefined && special.at < ordinary + LONGEST) {
      // A maintenance window is short, so only some faults fit.
      const fault = faults.draw(({ finder, isTold }) => special.lasts === null || (finder === 'rounds' && isTold));
      return fault === null ? [] : [lasting(fault, special.moment, special.at, special.lasts)];
    }
    const dice = chance.share();
    const pair = dice < PAIRED ? pairs.draw() : null;
    if (pair !== null) {
      const both = pair.map((name) => lasting(faultNamed(name), 'two at once', ordinary, null));
      return both.map((one) => ({ ...one, to: Math.max(...both.map(({ to }) => to)) }));
    }
    if (dice < PAIRED + IN_A_ROW.share) return inARow(ordinary);
    const fault = faults.draw();
    return fault === null
      ? []
      : [lasting(fault, dice > 1 - RESTARTED ? 'after a restart' : 'ordinary', ordinary, null)];
  }

  function lasting(fault: Fault, moment: Moment, from: Millis, time: Millis | null): Injection {
    const lasts = Math.max(time ?? chance.between(...LASTS[fault.finder]), SHORTEST * every);
    return { fault, moment, from, to: from + lasts, endsWithin: null };
  }

  /** Outages of one kind or several, each with a separate end. */
  function inARow(free: Millis): readonly Injection[] {
    const outages: Injection[] = [];
    let from = free;
    for (let count = chance.between(2, IN_A_ROW.most + 1); count > 0; count -= 1) {
      const [name = SHORT_OUTAGES[0]] = chance.shuffled(SHORT_OUTAGES);
      const to = from + chance.between(IN_A_ROW.lasts[0] * every, IN_A_ROW.lasts[1] * every);
      outages.push({ fault: faultNamed(name), moment: 'in a row', from, to, endsWithin: ENDS_WITHIN * every });
      from = to + chance.between(IN_A_ROW.gone[0] * every, IN_A_ROW.gone[1] * every);
    }
    return outages;
  }

  // Outages in a row always, regardless of the number of days.
  for (let trouble = inARow(2 * HOUR); ; ) {
    const to = trouble.at(-1)?.to ?? Infinity;
    if (to > days * DAY - RECOVERY) return injections;
    injections.push(...trouble);
    trouble = next(to + RECOVERY);
  }
}

/** A time at which faults are more frequent. */
interface Special {
  readonly at: Millis;
  readonly moment: Moment;
  /** null: for the usual duration of the fault. */
  readonly lasts: Millis | null;
}

/** Returns some midnights, every maintenance window, and the night on which the clocks change, in order. */
function specialMoments({ start, days }: PlanOptions, chance: Chance): readonly Special[] {
  const local = (at: Millis): Temporal.ZonedDateTime =>
    Temporal.Instant.fromEpochMilliseconds(start + at).toZonedDateTimeISO(TIMEZONE);
  const isTime = (at: Millis, time: string): boolean => local(at).toPlainTime().toString().startsWith(time);
  const offset = (at: Millis): number => local(at).offsetNanoseconds;
  const times = Array.from({ length: (days * DAY) / STEP }, (_, index) => index * STEP);
  const midnights = times.filter((at) => isTime(at, '23:40') && chance.share() < MIDNIGHTS);
  const windows = times.filter((at) => local(at).dayOfWeek === SUNDAY && isTime(at, '04:30'));
  const changes = times.filter((at) => offset(at + STEP) !== offset(at));
  return [
    ...midnights.map((at): Special => ({ at, moment: 'midnight', lasts: null })),
    // Faults that end within the window and faults that end after it, in turn.
    ...windows.map(
      (at, index): Special =>
        index % 2 === 0
          ? { at: at + 10 * MINUTE, moment: 'inside maintenance', lasts: 60 * MINUTE }
          : { at: at + 70 * MINUTE, moment: 'outlasts maintenance', lasts: 100 * MINUTE },
    ),
    // Half an hour before the clocks change.
    ...changes.map((at): Special => ({ at: at - 2 * STEP, moment: 'summer time', lasts: 80 * MINUTE })),
  ].toSorted((a, b) => a.at - b.at);
}

function planNoise(
  { days, everySeconds }: PlanOptions,
  chance: Chance,
  injections: readonly Injection[],
): readonly PlannedNoise[] {
  const period = { any: 1, poll: pollMinutes(everySeconds) * MINUTE, round: everySeconds * 1000 };
  const offset = { any: 0, poll: 0, round: offsetOfRounds(everySeconds) };
  const deck = new Deck(NOISE, chance);
  const planned: PlannedNoise[] = [];
  for (let free = 20 * MINUTE; free < days * DAY - RECOVERY; ) {
    // What begins with a round begins just before it.
    const plannedAt = (noise: Noise): PlannedNoise => {
      const from = Math.ceil(free / period[noise.begins]) * period[noise.begins];
      return { noise, from, to: from + offset[noise.begins] + noise.lasts };
    };
    const noise = deck.draw((one) => isFree(plannedAt(one), injections));
    if (noise !== null) planned.push(plannedAt(noise));
    free = noise === null ? free + 30 * MINUTE : plannedAt(noise).to + chance.between(15, 70) * MINUTE;
  }
  return planned;
}

function isFree({ noise, from, to }: PlannedNoise, injections: readonly Injection[]): boolean {
  return (
    noise.isHarmless ||
    injections.every((injection) => to < injection.from - 10 * MINUTE || from > injection.to + RECOVERY - 60 * MINUTE)
  );
}
