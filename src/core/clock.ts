/** Wall-clock time since 1970-01-01T00:00:00Z, for display. */
export type EpochMs = number;

export type Millis = number;

/** Never measure with `now`, because the wall clock can jump (NTP, daylight saving, a resumed virtual machine). */
export interface Clock {
  now(): EpochMs;
  /** Monotonic time since an arbitrary start, with a fractional part. */
  elapsed(): Millis;
  /** Returns a function that cancels the call. A pending call does not keep the process running. */
  after(delay: Millis, callback: () => void): () => void;
}

/** Setting the clock back does not extend the period. */
export function isRecent(at: EpochMs, now: EpochMs, span: Millis): boolean {
  return at <= now && now - at < span;
}
