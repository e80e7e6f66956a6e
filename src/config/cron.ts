import { validate } from 'node-cron';

const SECONDS_AND_MINUTES = 6;
const MINUTES = 5;

/** `*`, `5`, `mon`, `5-9`, `mon-fri`, each with `/2` behind it: what every cron understands. */
const PART = /^(?:\*|(?<first>[a-z]{3}|\d{1,2})(?:-(?<last>[a-z]{3}|\d{1,2}))?)(?:\/[1-9]\d{0,2})?$/iu;

const NAMES: readonly string[] = 'jan feb mar apr may jun jul aug sep oct nov dec sun mon tue wed thu fri sat'.split(' ');

/** Six fields that begin with the seconds; five would mean minutes where seconds are meant. */
export function isCronWithSeconds(expression: string): boolean {
  return fieldsOf(expression).length === SECONDS_AND_MINUTES && validate(expression);
}

/** Five fields as crontab(5) has them, without the extensions of one implementation (`L`, `#`, ranges that run backwards). */
export function isCronOfMinutes(expression: string): boolean {
  const fields = fieldsOf(expression);
  return fields.length === MINUTES && fields.every((field) => field.split(',').every(isPart)) && validate(expression);
}

function isPart(part: string): boolean {
  const groups = PART.exec(part)?.groups;
  if (groups === undefined) return false;
  const { first, last } = groups;
  return first === undefined || last === undefined || rank(first) <= rank(last);
}

/** Numbers by value, names in their order: no range holds both. */
function rank(value: string): number {
  return /^\d/u.test(value) ? Number(value) : NAMES.indexOf(value.toLowerCase());
}

function fieldsOf(expression: string): readonly string[] {
  return expression.trim().split(/\s+/u);
}
