/** The minutes that a cron expression names. A field that is null names every value. */
export interface CronFields {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  /** Whether the hour was left open (`*`): such a schedule goes by real time, also in the night that has an hour twice. */
  readonly everyHour: boolean;
  readonly days: readonly number[] | null;
  readonly months: readonly number[];
  /** 0 is Sunday. */
  readonly weekdays: readonly number[] | null;
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/**
 * Reads `minute hour day month weekday`, as crontab(5) has it: lists, ranges, steps, names, 7 for Sunday. A field of seconds
 * in front, as the schedules have it, is allowed and must be 0.
 * @throws {RangeError} saying which field is wrong
 */
export function parseCron(text: string): CronFields {
  const all = text.trim().split(/\s+/u);
  const fields = all.length === 6 && all[0] === '0' ? all.slice(1) : all;
  if (fields.length !== RANGES.length) {
    throw new RangeError(
      `Cannot read the cron expression "${text}": expected five fields "minute hour day month weekday", got ${String(all.length)}`,
    );
  }
  const values = RANGES.map((range, index) => parseField(fields[index] ?? '', range, text));
  const valuesOf = (index: number): readonly number[] => values[index] ?? [];
  return {
    minutes: valuesOf(0),
    hours: valuesOf(1),
    everyHour: fields[1]?.startsWith('*') === true,
    days: fields[2] === '*' ? null : valuesOf(2),
    months: valuesOf(3),
    weekdays: fields[4] === '*' ? null : valuesOf(4).map((number) => number % 7),
  };
}

/** Whether a date is among those named: where day and weekday are both given, either is enough, as crontab(5) has it. */
export function matchesDate(cron: CronFields, date: { readonly month: number; readonly day: number; readonly weekday: number }): boolean {
  if (!cron.months.includes(date.month)) return false;
  const { days, weekdays } = cron;
  if (days !== null && weekdays !== null) return days.includes(date.day) || weekdays.includes(date.weekday);
  return days?.includes(date.day) ?? weekdays?.includes(date.weekday) ?? true;
}

interface FieldRange {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly names: readonly string[];
}

const RANGES: readonly FieldRange[] = [
  { name: 'minute', min: 0, max: 59, names: [] },
  { name: 'hour', min: 0, max: 23, names: [] },
  { name: 'day', min: 1, max: 31, names: [] },
  { name: 'month', min: 1, max: 12, names: MONTHS },
  { name: 'weekday', min: 0, max: 7, names: WEEKDAYS },
];

/** `*`, `5`, `5-9`, each with `/2` behind it. */
const PART = /^(?:\*|(?<first>[a-z0-9]+)(?:-(?<last>[a-z0-9]+))?)(?:\/(?<step>[1-9]\d{0,3}))?$/iu;

function parseField(text: string, range: FieldRange, expression: string): readonly number[] {
  const values = text.split(',').flatMap((part) => {
    const read = parsePart(part, range);
    if (read !== null) return read;
    throw new RangeError(
      `Cannot read the ${range.name} of the cron expression "${expression}": expected values from ${String(range.min)} to ${String(range.max)}, got "${part}"`,
    );
  });
  return [...new Set(values)].sort((a, b) => a - b);
}

function parsePart(part: string, range: FieldRange): readonly number[] | null {
  const groups = PART.exec(part)?.groups;
  if (groups === undefined) return null;
  const { first, last, step } = groups;
  const from = first === undefined ? range.min : parseValue(first, range);
  const to = parseEnd(last ?? (step === undefined ? first : undefined), range);
  return from === null || to === null || from > to ? null : sequence(from, to, Number(step ?? 1));
}

/** Without an end, to the end of the range. */
function parseEnd(text: string | undefined, range: FieldRange): number | null {
  return text === undefined ? range.max : parseValue(text, range);
}

function sequence(from: number, to: number, by: number): readonly number[] {
  return Array.from({ length: Math.floor((to - from) / by) + 1 }, (_, index) => from + index * by);
}

function parseValue(text: string, { min, max, names }: FieldRange): number | null {
  const named = names.indexOf(text.toLowerCase());
  const value = named === -1 ? Number(text) : named + min;
  return Number.isInteger(value) && value >= min && value <= max ? value : null;
}
