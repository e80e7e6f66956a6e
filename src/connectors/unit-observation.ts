import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { ApplianceConfig } from '../config/schema/appliances.ts';
import { type MailServer, type MailServerConfig, USUAL_PATIENCE } from '../config/schema/mail.ts';
import {
  type ApplianceObservation,
  type HaRoleObservation,
  MOST_PENDING,
  pendingSince,
  type PendingSince,
} from '../core/license/appliance.ts';
import type { KnownFact } from '../core/license/firmware.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import type { BackgroundFile } from '../system/json-file.ts';
import { valueOf } from '../core/license/resource.ts';

/** One appliance as it was last seen; null: not configured, or not asked yet. */
export interface UnitObservation {
  readonly config: ApplianceConfig;
  readonly rest: ApplianceObservation | null;
  readonly role: HaRoleObservation | null;
  /** What is known of its firmware; absent: nothing. */
  readonly known?: readonly KnownFact[];
}

const SAVED = z.object({ pending: z.record(z.string(), z.number()) });

/** Serial numbers of tokens are not kept: they name what users log in with. */
export function tokenId(serial: string): string {
  return createHash('sha256').update(serial.toUpperCase()).digest('base64url').slice(0, 22);
}

/** When tokens were seen pending first, between looks and restarts. */
export interface PendingMemory {
  /**
   * The unit, with how long each of its pending tokens has been seen pending by this program.
   * @param names of all units that tell their tokens
   */
  withAges(unit: UnitObservation, names: readonly string[], at: EpochMs): Promise<UnitObservation>;
}

/** @param file is read once, at the first look; what it holds otherwise than as it was saved reads as nothing */
export function createPendingMemory(file: BackgroundFile): PendingMemory {
  /** What each unit told last; null: nothing. */
  const told = new Map<string, readonly string[] | null>();
  let loading: Promise<PendingSince> | null = null;
  let seen: PendingSince | null = null;
  return {
    withAges: async (unit, names, at) => {
      loading ??= savedIn(file);
      const saved = await loading;
      const tokens = unit.rest?.kind === 'ok' ? valueOf(unit.rest.tokens) : null;
      told.set(unit.config.name, tokens === null ? null : (tokens.pending ?? []).map(({ id }) => id));
      const lists = names.map((name) => told.get(name) ?? null);
      const ids = lists.flatMap((list) => list ?? []);
      seen = pendingSince(seen ?? saved, { ids, isWhole: !lists.includes(null), at });
      file.save({ pending: Object.fromEntries(seen) });
      return withAges(unit, seen, at);
    },
  };
}

async function savedIn(file: BackgroundFile): Promise<PendingSince> {
  const parsed = SAVED.safeParse(await file.load());
  return new Map(parsed.success ? Object.entries(parsed.data.pending).slice(0, MOST_PENDING) : []);
}

function withAges(unit: UnitObservation, seen: PendingSince, at: EpochMs): UnitObservation {
  const { rest } = unit;
  if (rest?.kind !== 'ok' || rest.tokens.kind !== 'read') return unit;
  const { value } = rest.tokens;
  const pending = (value.pending ?? []).map(({ id }) => ({ id, age: at - (seen.get(id) ?? at) }));
  return { ...unit, rest: { ...rest, tokens: { kind: 'read', value: { ...value, pending } } } };
}

/**
 * The mail servers to rehearse with: those of the configuration, else those that FortiAuthenticator itself sends
 * through.
 */
export function mailServersOf(
  { mail }: { readonly mail: readonly MailServerConfig[] },
  units: readonly UnitObservation[],
): readonly MailServer[] {
  if (mail.length > 0) return mail;
  const named = units.flatMap(({ rest }) => (rest?.kind === 'ok' ? (valueOf(rest.mailServers) ?? []) : []));
  const servers = named.map(
    (server): MailServer => ({ ...server, required: false, timeout: USUAL_PATIENCE, isLoginUnknown: true }),
  );
  return [...new Map(servers.map((server) => [`${server.host}:${String(server.port)}`, server])).values()];
}

/** How long an activation code lives, by the unit where it lives shortest; null: no unit tells. */
export function codeLifeOf(units: readonly UnitObservation[]): Millis | null {
  const lives = units.flatMap(({ rest }) => (rest?.kind === 'ok' ? (valueOf(rest.provisioning)?.codeLife ?? []) : []));
  return lives.length === 0 ? null : Math.min(...lives);
}
