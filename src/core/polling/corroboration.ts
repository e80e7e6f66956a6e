import type { EpochMs, Millis } from '../clock.ts';
import type { LogSource } from './log-event.ts';

/** Lines of one kind in a log, without a gap in which it was clean. */
export interface Complaint {
  /** Some of the moments at which lines came: the first and the last are among them. */
  readonly moments: readonly EpochMs[];
  /** The last of the lines that came in a way that nobody forges with one packet; null: none did. */
  readonly reliableAt: EpochMs | null;
}

/**
 * Nothing documents how often FortiAuthenticator polls: a failed activation may log a single line, and a blip a few at
 * once.
 */
const APART: Millis = 30_000;

/** Said beside a line that is not corroborated. */
export const ONE_DATAGRAM = ' (a single datagram so far, which proves little)';

/**
 * Whether what an appliance complains of, or a firewall admits, may raise a severity. A single datagram proves little:
 * its sender is forged as easily as its text, and what it tells of may be over. Two moments, or a line over a
 * connection or from a file, do.
 */
export function isCorroborated(complaints: readonly Complaint[]): boolean {
  const moments = complaints.flatMap((complaint) => complaint.moments);
  return (
    Math.max(...moments) - Math.min(...moments) >= APART || complaints.some(({ reliableAt }) => reliableAt !== null)
  );
}

/** A datagram has no handshake that would prove its sender. */
export function isReliable(source: LogSource): boolean {
  return source !== 'udp';
}
