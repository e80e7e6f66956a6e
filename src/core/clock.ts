/** Milliseconds since 1970-01-01T00:00:00Z, for times that people read. */
export type EpochMs = number;

/** A duration in milliseconds. */
export type Millis = number;

/**
 * The only way to get the time or to wait. Use the wall clock for people and the monotonic clock for measuring: the
 * wall clock can jump (NTP, daylight saving, a resumed virtual machine), so never measure with `now`.
 */
export interface Clock {
  /** Wall clock. */
  now(): EpochMs;
  /** Monotonic milliseconds since an arbitrary start, with a fractional part. */
  elapsed(): Millis;
  /**
   * Calls back once after `delay`. The returned function cancels the call. A pending call does not keep the process
   * alive.
   */
  after(delay: Millis, callback: () => void): () => void;
}

/**
 * Reports whether a value stored at `at` is still recent at `now`. If the clock was set back, the value does not live
 * longer.
 */
export function isRecent(at: EpochMs, now: EpochMs, span: Millis): boolean {
  return at <= now && now - at < span;
}
