import * as z from 'zod';
import type { Diagnosis } from '../engine/diagnosis.ts';
import { isoTime } from '../core/instant-text.ts';
import { PRECONDITION_STATES, type PreconditionState } from '../engine/precondition-state.ts';
import { type Migration, migrationSchema } from './migration.ts';
import { type UnitState, unitStateSchema } from './unit-state.ts';

/** A unit and the path before a migration: the file that `preflight migration` writes, part of the contract. */
export interface Snapshot {
  readonly version: 1;
  readonly site: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly migration: Migration;
  readonly unit: UnitState;
  readonly preconditions: readonly SnapshotPrecondition[];
}

interface SnapshotPrecondition {
  readonly id: string;
  readonly state: PreconditionState;
  readonly summary: string;
}

const snapshotSchema: z.ZodType<Snapshot> = z.object({
  version: z.literal(1),
  site: z.string(),
  at: z.iso.datetime(),
  migration: migrationSchema,
  unit: unitStateSchema,
  preconditions: z.array(z.object({ id: z.string(), state: z.enum(PRECONDITION_STATES), summary: z.string() })),
});

export function snapshotOf(migration: Migration, unit: UnitState, diagnosis: Diagnosis): Snapshot {
  const { site, at, preconditions } = diagnosis;
  return {
    version: 1,
    site,
    at: isoTime(at),
    migration,
    unit,
    preconditions: preconditions.map(({ id, state, summary }) => ({ id, state, summary })),
  };
}

/**
 * Reads the text of a snapshot.
 * @throws {Error} saying what is wrong with it
 */
export function parseSnapshot(text: string): Snapshot {
  const read = snapshotSchema.safeParse(JSON.parse(text));
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? '' : ` at "${issue.path.join('.')}"`;
  throw new Error(`expected what "ftm-watch preflight migration" writes${where}: ${issue?.message ?? ''}`);
}
