import { Cron } from 'croner';
import type { EpochMs } from '../core/clock.ts';

export interface Crontab {
  /** The latest matching time up to and including `now`. */
  last(now: EpochMs): EpochMs | null;
  next(now: EpochMs): EpochMs | null;
}

/**
 * Parses `minute hour day month weekday` as in crontab(5), without croner's extensions (`L`, `#`, `@daily`). Clock
 * changes are handled as in cron(8). A fixed time that is skipped in spring is due when the clock is set forward. A
 * fixed time that occurs twice in autumn is due once. An expression with `*` as its minute or hour is not affected.
 * @throws {RangeError} if the expression or the time zone is invalid, or if the date never occurs
 */
export function readCrontab(expression: string, timezone: string): Crontab {
  const fields = expression.trim().split(/\s+/u);
  if (fields.length !== LAST_VALUES.length || !fields.every(isPlain)) throw unreadable(expression);
  const cron = croner(fields, expression, timezone);
  if (cron.nextRun(new Date(0)) === null) throw unreadable(expression);
  return {
    // croner returns only times before the given time.
    last: (now) => cron.previousRuns(1, new Date(now + 1))[0]?.getTime() ?? null,
    next: (now) => cron.nextRun(new Date(now))?.getTime() ?? null,
  };
}

/** Maximum values of the five fields. */
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
      // crontab(5): "If both fields are restricted (i.e., do not contain the * character at the beginning), the command
      // will be run when either field matches". Otherwise, both fields must match, which croner requires only with this
      // option.
      domAndDow: day.startsWith('*') || weekday.startsWith('*'),
      // With this option, lists and ranges also count as fixed times.
      fixedTimeRule: 'no-wildcard',
    });
  } catch (error) {
    throw unreadable(expression, error);
  }
}

/**
 * Expands steps, such as `0-10/5`, into a list, because croner would treat the expression as an interval, whereas cron
 * does so only for `*`.
 */
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
