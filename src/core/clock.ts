/** Milliseconds since 1970-01-01T00:00:00Z: an instant that people read. */
export type EpochMs = number;

/** A span of time in milliseconds. */
export type Millis = number;

/**
 * The only way to learn the time or to wait. Wall clock for people, monotonic for measuring: the wall clock steps
 * (NTP, daylight saving, a resumed virtual machine), so nothing is ever measured with `now`.
 */
export interface Clock {
  /** Wall clock. */
  now(): EpochMs;
  /** Monotonic milliseconds since an arbitrary start, with fractions. */
  elapsed(): Millis;
  /** Calls back once after `delay`; the returned function cancels. Never keeps the process alive by itself alone. */
  after(delay: Millis, callback: () => void): () => void;
}

/**
 * Whether what was kept at one instant still counts at another one. A clock that was set back must not keep it for
 * longer.
 */
export function isRecent(at: EpochMs, now: EpochMs, span: Millis): boolean {
  return at <= now && now - at < span;
}
