import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { EpochMs } from '../../src/core/clock.ts';

/**
 * Returns when the round began that ended at the given time, from the daemon's own history: the last round whose
 * probes had ended by then, because the next may have begun at the same time.
 * @throws {Error} if there is none
 */
export function beginningOfRound(folder: string, endedAt: EpochMs): EpochMs {
  using history = new DatabaseSync(join(folder, 'data', 'ftm-watch.sqlite'), { readOnly: true });
  const row = history
    .prepare(
      `SELECT max(at) AS at FROM (SELECT at, max(duration_ms) AS lasted FROM samples GROUP BY at)
       WHERE at + lasted <= ? + 1`,
    )
    .get(endedAt);
  if (typeof row?.['at'] !== 'number') throw new Error(`No round ended by ${new Date(endedAt).toISOString()}`);
  return row['at'];
}
