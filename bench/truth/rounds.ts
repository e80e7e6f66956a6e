import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { EpochMs } from '../../src/core/clock.ts';

/**
 * When the round began that ended at a moment, by the daemon's own history: the last one whose probes had ended by
 * then, since another one may have begun in that very moment.
 * @throws {Error} when there is none
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
