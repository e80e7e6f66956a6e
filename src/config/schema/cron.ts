import { validate } from 'node-cron';
import { readCrontab } from '../../text/crontab.ts';

const SECONDS_TO_WEEKDAY = 6;

/** Six fields that begin with the seconds; five would mean minutes where seconds are meant. */
export function isCronWithSeconds(expression: string): boolean {
  return expression.trim().split(/\s+/u).length === SECONDS_TO_WEEKDAY && validate(expression);
}

/** Five fields as crontab(5) has them, for a date that comes. */
export function isCronOfMinutes(expression: string): boolean {
  try {
    readCrontab(expression, 'UTC');
    return true;
  } catch {
    return false;
  }
}
