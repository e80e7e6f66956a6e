import { validate } from 'node-cron';

const SECONDS_AND_MINUTES = 6;

/** `*`, `5`, `mon`, `5-9`, `mon-fri`, each with `/2` behind it: what every cron understands. */
const PART = /^(?:\*|(?<first>[a-z]{3}|\d{1,2})(?:-(?<last>[a-z]{3}|\d{1,2}))?)(?:\/[1-9]\d{0,2})?$/iu;

interface Field {
  readonly least: number;
  readonly most: number;
  /** Names for the values from `least` on. */
  readonly names: readonly string[];
}

const FIELDS: readonly Field[] = [
  { least: 0, most: 59, names: [] },
  { least: 0, most: 23, names: [] },
  { least: 1, most: 31, names: [] },
  { least: 1, most: 12, names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'] },
  { least: 0, most: 7, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
];

/** Six fields that begin with the seconds; five would mean minutes where seconds are meant. */
export function isCronWithSeconds(expression: string): boolean {
  return partsOf(expression).length === SECONDS_AND_MINUTES && validate(expression);
}

/** Five fields as crontab(5) has them, without the extensions of one implementation (`L`, `#`, ranges that run backwards). */
export function isCronOfMinutes(expression: string): boolean {
  const fields = partsOf(expression);
  if (fields.length !== FIELDS.length) return false;
  // node-cron knows, beyond the fields, which dates never come; of ranges it only looks at the values that a step leaves.
  return FIELDS.every((field, index) => (fields[index] ?? '').split(',').every((part) => isPart(part, field))) && validate(expression);
}

function isPart(part: string, field: Field): boolean {
  const groups = PART.exec(part)?.groups;
  if (groups === undefined) return false;
  const first = valueOf(groups['first'], field) ?? field.least;
  const last = valueOf(groups['last'], field) ?? first;
  return field.least <= first && first <= last && last <= field.most;
}

/** NaN for a name that the field does not have. */
function valueOf(text: string | undefined, { least, names }: Field): number | null {
  if (text === undefined) return null;
  const name = names.indexOf(text.toLowerCase());
  return name < 0 ? Number(text) : name + least;
}

function partsOf(expression: string): readonly string[] {
  return expression.trim().split(/\s+/u);
}
