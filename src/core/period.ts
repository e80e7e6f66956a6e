import type { EpochMs } from './clock.ts';

/** A span of time, its ends included. */
export interface Period {
  /** Null: from the beginning. */
  readonly since: EpochMs | null;
  /** Null: until now. */
  readonly until: EpochMs | null;
}

export const ALL_TIME: Period = { since: null, until: null };

export function isWithin({ since, until }: Period, at: EpochMs): boolean {
  return at >= (since ?? Number.NEGATIVE_INFINITY) && at <= (until ?? Number.POSITIVE_INFINITY);
}
