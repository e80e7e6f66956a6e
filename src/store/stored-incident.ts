import type { Incident } from '../engine/incident/incident.ts';
import { ALL_TIME } from '../core/period.ts';
import { readIncidents } from './history-rows.ts';
import { readIncident } from './incident-rows.ts';
import { readingStore, type Unread } from './stored-history.ts';

/** One incident that a daemon has kept, as another process finds it. */
export type StoredIncident =
  | Unread
  | { readonly kind: 'found'; readonly incident: Incident }
  /** There is none of that name. */
  | { readonly kind: 'missing'; readonly latest: readonly Incident[] };

/**
 * Reads it without writing into the file; of one that goes on in another, the other. Throws nothing.
 * @param most how many of the latest are named instead of one that is missing
 */
export function readStoredIncident(path: string, id: string, most: number): StoredIncident {
  return readingStore(path, (db): StoredIncident => {
    const found = readIncident(db, id);
    if (found === null) return { kind: 'missing', latest: readIncidents(db, most, ALL_TIME) };
    const goesOnIn = found.mergedInto === null ? null : readIncident(db, found.mergedInto);
    return { kind: 'found', incident: goesOnIn ?? found };
  });
}
