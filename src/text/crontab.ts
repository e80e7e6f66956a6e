import { Cron } from 'croner';
import type { EpochMs } from '../core/clock.ts';

/** When an expression of crontab(5) is due, in one time zone. */
export interface Crontab {
  /** The latest time up to and including now; null: there is none. */
  last(now: EpochMs): EpochMs | null;
  /** The first time after now; null: there is none. */
  next(now: EpochMs): EpochMs | null;
}

/**
 * Reads `minute hour day month weekday` as crontab(5) has them, without the extensions of croner (`L`, `#`, `@daily`).
 * Clock changes are taken as by cron(8): a fixed time that the spring night lacks is due when the clock is set forward,
 * one that the autumn night has twice is due once, and what has `*` as its minute or hour goes by real time.
 * @throws {RangeError} for an expression or a time zone that cannot be read, or a date that never comes
 */
export function readCrontab(expression: string, timezone: string): Crontab {
  const fields = expression.trim().split(/\s+/u);
  if (fields.length !== LAST_VALUES.length || !fields.every(isPlain)) throw unreadable(expression);
  const cron = croner(fields, expression, timezone);
  if (cron.nextRun(new Date(0)) === null) throw unreadable(expression);
  return {
    // croner looks before an instant, and takes what ran earlier in the same second.
    last: (now) => cron.previousRuns(1, new Date(now + 1))[0]?.getTime() ?? null,
    next: (now) => cron.nextRun(new Date(now))?.getTime() ?? null,
  };
}

/** Of the fields in their order. */
const LAST_VALUES = [59, 23, 31, 12, 7] as const;

const VALUE = String.raw`(?:\d{1,2}|[a-z]{3})`;
const FIELD = new RegExp(String.raw`^(?:(?:\*|${VALUE}(?:-${VALUE})?)(?:/\d{1,2})?(?:,(?!$)|$))+$`, 'iu');

function isPlain(field: string): boolean {
  return FIELD.test(field);
}

function croner(fields: readonly string[], expression: string, timezone: string): Cron {
  const [, , day = '', , weekday = ''] = fields;
  try {
    return new Cron(fields.map((field, index) => listed(field, LAST_VALUES[index] ?? 0)).join(' '), {
      timezone,
      mode: '5-part',
      // "If both fields are restricted (i.e., do not contain the * character at the beginning), the command will be run
      // when either field matches", else when both do: crontab(5). croner asks for both only where it is told to.
      domAndDow: day.startsWith('*') || weekday.startsWith('*'),
      // Lists and ranges are fixed times as well.
      fixedTimeRule: 'no-wildcard',
    });
  } catch (error) {
    throw unreadable(expression, error);
  }
}

/** For croner a step makes an interval of everything; for cron only `*` does, so the other steps are written out. */
function listed(field: string, most: number): string {
  return field.replace(
    /(?<=^|,)(?<first>\d+)(?:-(?<last>\d+))?\/(?<step>\d+)/gu,
    (part, first: string, last: string | undefined, by: string) => {
      const step = Number(by);
      const count = Math.floor((Number(last ?? most) - Number(first)) / step) + 1;
      return step === 0 || count < 1
        ? part
        : Array.from({ length: count }, (_, index) => Number(first) + index * step).join(',');
    },
  );
}

function unreadable(expression: string, cause?: unknown): RangeError {
  return new RangeError(
    `Cannot read the cron expression "${expression}": expected five fields "minute hour day month weekday", as ` +
      'in "0 2 * * 0"',
    { cause },
  );
}
