import type { Millis } from './clock.ts';

/** From a second on it is a SYN that was repeated (RFC 6298 §2: the first is repeated after one second). */
const REPEATED_SYN: Millis = 1000;
/** Below that, timers and scheduling are larger than what is measured. */
const SHORTEST: Millis = 4;

/**
 * The round trip at the least, by how long connects took; null: with less than `fewest` of them it is not known well
 * enough to conclude anything from it. A busy process notices late that a connection is open: by so much it may have
 * been faster.
 */
export function leastRoundTrip(connects: readonly Millis[], stalledMs: Millis, fewest: number): Millis | null {
  const single = connects.filter((ms) => ms < REPEATED_SYN);
  const least = Math.min(...single) - stalledMs;
  return single.length < fewest || least < SHORTEST ? null : least;
}
