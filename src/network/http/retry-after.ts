import type { Millis } from '../../core/clock.ts';

/** `Retry-After` in seconds (RFC 9110 §10.2.3); the form with a date is left out, since the clocks may differ. */
export function retryAfterOf(header: string | string[] | undefined): Millis | null {
  return typeof header === 'string' && /^\d{1,6}$/u.test(header) ? Number(header) * 1000 : null;
}
