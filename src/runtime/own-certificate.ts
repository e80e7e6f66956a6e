import type { EpochMs, Millis } from '../core/clock.ts';
import { zonedText } from '../core/time-text.ts';

/** The alert rules FtmCertificateExpires and FtmOwnCertificateExpires use the same period. */
const ENDS_SOON: Millis = 14 * 86_400_000;

/**
 * @param owner for example `the status page`
 * @param end null if there is no certificate
 */
export function ownCertificateProblems(
  owner: string,
  end: EpochMs | null,
  now: EpochMs,
  timezone: string,
): readonly string[] {
  if (end === null || end - now > ENDS_SOON) return [];
  const text = `${owner}'s certificate ${end < now ? 'expired' : 'expires'} at ${zonedText(end, timezone)} and must be renewed`;
  return [`${text.charAt(0).toUpperCase()}${text.slice(1)}`];
}
