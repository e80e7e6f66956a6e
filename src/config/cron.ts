import { validate } from 'node-cron';
import { parseCron } from '../core/cron.ts';

const MINUTES_TO_WEEKDAY = 5;
const SECONDS_TO_WEEKDAY = 6;

/** Six fields that begin with the seconds; five would mean minutes where seconds are meant. */
export function isCronWithSeconds(expression: string): boolean {
  return countFields(expression) === SECONDS_TO_WEEKDAY && validate(expression);
}

/** Five fields as crontab(5) has them, without the extensions of one implementation (`L`, `#`, ranges that run backwards). */
export function isCronOfMinutes(expression: string): boolean {
  // node-cron knows, beyond the fields, which dates never come.
  return countFields(expression) === MINUTES_TO_WEEKDAY && isReadable(expression) && validate(expression);
}

function isReadable(expression: string): boolean {
  try {
    parseCron(expression);
    return true;
  } catch {
    return false;
  }
}

function countFields(expression: string): number {
  return expression.trim().split(/\s+/u).length;
}
