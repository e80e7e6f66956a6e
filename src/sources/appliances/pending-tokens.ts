import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { EpochMs } from '../../core/clock.ts';
import { MOST_PENDING, pendingSince, type PendingSince } from '../../core/license/pending-tokens.ts';
import { valueOf } from '../../core/license/resource.ts';
import type { UnitObservation } from './unit-observation.ts';

/** Keeps between looks and restarts when tokens were seen pending first. */
export interface PendingStore {
  /** What was saved last, as it was parsed from JSON; anything else reads as nothing. */
  load(): Promise<unknown>;
  save(seen: object): Promise<void>;
}

const SAVED = z.object({ pending: z.record(z.string(), z.number()) });

/** Serial numbers of tokens are not kept: they name what users log in with. */
export function tokenId(serial: string): string {
  return createHash('sha256').update(serial.toUpperCase()).digest('base64url').slice(0, 22);
}

/** The units, with how long each of their pending tokens has been seen pending by this program. */
export async function withPendingAges(
  units: readonly UnitObservation[],
  store: PendingStore,
  at: EpochMs,
): Promise<readonly UnitObservation[]> {
  const asked = units.filter(({ config: { api } }) => api !== null);
  if (asked.length === 0) return units;
  const told = asked.map(({ rest }) => (rest?.kind === 'ok' ? valueOf(rest.tokens) : null));
  const ids = told.flatMap((tokens) => (tokens?.pending ?? []).map(({ id }) => id));
  const seen = pendingSince(await savedIn(store), { ids, isWhole: !told.includes(null), at });
  await store.save({ pending: Object.fromEntries(seen) });
  return units.map((unit) => withAges(unit, seen, at));
}

async function savedIn(store: PendingStore): Promise<PendingSince> {
  const parsed = SAVED.safeParse(await store.load());
  return new Map(parsed.success ? Object.entries(parsed.data.pending).slice(0, MOST_PENDING) : []);
}

function withAges(unit: UnitObservation, seen: PendingSince, at: EpochMs): UnitObservation {
  const { rest } = unit;
  if (rest?.kind !== 'ok' || rest.tokens.kind !== 'read') return unit;
  const { value } = rest.tokens;
  const pending = (value.pending ?? []).map(({ id }) => ({ id, age: at - (seen.get(id) ?? at) }));
  return { ...unit, rest: { ...rest, tokens: { kind: 'read', value: { ...value, pending } } } };
}
