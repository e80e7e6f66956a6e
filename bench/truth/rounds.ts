import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import type { EpochMs } from '../../src/core/clock.ts';

const rounds = z.array(z.object({ at: z.number(), lasted: z.number() })).min(1);

/**
 * When the round began that ended at a moment, by the daemon's own history: the one whose longest probe ended next to
 * it, since another one may have begun in that very moment.
 * @throws {Error} when there is none
 */
export function beginningOfRound(folder: string, endedAt: EpochMs): EpochMs {
  using history = new DatabaseSync(join(folder, 'data', 'ftm-watch.sqlite'), { readOnly: true });
  const rows = history
    .prepare('SELECT at, max(duration_ms) AS lasted FROM samples WHERE at <= ? GROUP BY at ORDER BY at DESC LIMIT 3')
    .all(endedAt);
  const away = ({ at, lasted }: { readonly at: EpochMs; readonly lasted: number }): number =>
    Math.abs(endedAt - at - lasted);
  return rounds.parse(rows).reduce((best, next) => (away(next) < away(best) ? next : best)).at;
}
