import type { Clock, Millis } from '../core/clock.ts';

const MINUTE: Millis = 60_000;
/** Enough for a script that adds silences. Each change is a row in the audit trail, which is kept for months. */
const MOST_A_MINUTE = 60;

/** Returns whether the account may make another change in this minute, and counts the change. */
export type ChangeLimit = (account: string) => boolean;

export function createChangeLimit(clock: Pick<Clock, 'elapsed'>): ChangeLimit {
  const counts = new Map<string, number>();
  let minute = 0;
  return (account) => {
    const now = Math.floor(clock.elapsed() / MINUTE);
    // A proxy can report any number of accounts.
    if (now !== minute) counts.clear();
    minute = now;
    const count = (counts.get(account) ?? 0) + 1;
    counts.set(account, count);
    return count <= MOST_A_MINUTE;
  };
}
