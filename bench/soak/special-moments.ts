import type { EpochMs, Millis } from '../../src/core/clock.ts';
import { SETTINGS } from './configuration.ts';
import type { Chance } from './random.ts';

export const MINUTE: Millis = 60_000;
export const HOUR: Millis = 60 * MINUTE;
export const DAY: Millis = 24 * HOUR;

/** Time after the end of a fault until everything is back to normal and the next fault may begin. */
export const RECOVERY: Millis = 130 * MINUTE;

export type Moment =
  | 'ordinary'
  | 'midnight'
  | 'summer time'
  /** It begins and ends within the window. */
  | 'inside maintenance'
  | 'outlasts maintenance'
  | 'after a restart'
  | 'two at once'
  /** One of several short outages, one after the other. */
  | 'in a row';

/** A time at which faults are more frequent. */
export interface Special {
  readonly at: Millis;
  readonly moment: Moment;
  /** null: for the usual duration of the fault. */
  readonly lasts: Millis | null;
}

const STEP: Millis = 10 * MINUTE;
const MIDNIGHTS = 0.3;
/** ISO 8601. */
const SUNDAY = 7;

/** Returns some midnights, every maintenance window, and the night on which the clocks change, in order. */
export function specialMoments(start: EpochMs, days: number, chance: Chance): readonly Special[] {
  const times = Array.from({ length: (days * DAY) / STEP }, (_, index) => index * STEP);
  return [...midnights(times, start, chance), ...maintenance(times, start), ...changes(times, start)].toSorted(
    (a, b) => a.at - b.at,
  );
}

function midnights(times: readonly Millis[], start: EpochMs, chance: Chance): readonly Special[] {
  return times
    .filter((at) => timeOf(start + at) === '23:40' && chance.share() < MIDNIGHTS)
    .map((at) => ({ at, moment: 'midnight', lasts: null }));
}

/** Alternates between faults that end within the window and faults that end after it. */
function maintenance(times: readonly Millis[], start: EpochMs): readonly Special[] {
  return times
    .filter((at) => local(start + at).dayOfWeek === SUNDAY && timeOf(start + at) === '04:30')
    .map((at, index) =>
      index % 2 === 0
        ? { at: at + 10 * MINUTE, moment: 'inside maintenance', lasts: 60 * MINUTE }
        : { at: at + 70 * MINUTE, moment: 'outlasts maintenance', lasts: 100 * MINUTE },
    );
}

/** Begins half an hour before the clocks change. */
function changes(times: readonly Millis[], start: EpochMs): readonly Special[] {
  const offset = (at: Millis): number => local(start + at).offsetNanoseconds;
  return times
    .filter((at) => offset(at + STEP) !== offset(at))
    .map((at) => ({ at: at - 2 * STEP, moment: 'summer time', lasts: 80 * MINUTE }));
}

function timeOf(at: EpochMs): string {
  return local(at).toPlainTime().toString({ smallestUnit: 'minute' });
}

function local(at: EpochMs): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(SETTINGS.timezone);
}
