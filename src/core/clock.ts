/** Wall-clock time in milliseconds since 1970-01-01T00:00:00Z. Used for times that are displayed. */
export type EpochMs = number;

/** A duration in milliseconds. */
export type Millis = number;

/**
 * Source of the current time and of timers for all other modules. Use the wall clock for display and the monotonic
 * clock for measurements. Never measure with `now`, because the wall clock can jump (NTP, daylight saving, a resumed
 * virtual machine).
 */
export interface Clock {
  /** Returns the current wall-clock time. */
  now(): EpochMs;
  /** Returns the monotonic time in milliseconds since an arbitrary start, including a fractional part. */
  elapsed(): Millis;
  /**
   * Calls the callback once after `delay`. The returned function cancels the call. A pending call does not keep the
   * process running.
   */
  after(delay: Millis, callback: () => void): () => void;
}

/**
 * Reports whether a value stored at `at` is still recent at `now`. Setting the clock back does not extend this period.
 */
export function isRecent(at: EpochMs, now: EpochMs, span: Millis): boolean {
  return at <= now && now - at < span;
}
