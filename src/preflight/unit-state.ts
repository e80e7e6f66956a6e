import * as z from 'zod';
import { firmwareVersion } from '../core/license/activation-context.ts';
import { askedFor, policyText } from '../core/license/firewall.ts';
import { licensesOf } from '../core/license/licenses-of.ts';
import type { LicenseOutcome } from '../core/license/registration.ts';
import { valueOf } from '../core/license/resource.ts';
import { type HaMode, unitOf } from '../core/license/unit.ts';
import type { UnitObservation } from '../sources/appliances/unit-observation.ts';
import type { SlowFactsBySource } from '../sources/registry.ts';

const MODES = ['cluster', 'standalone', 'load-balancer', 'unknown'] as const satisfies readonly HaMode[];

/** What a migration of a unit may change, as it is now. Null: nobody tells. */
export interface UnitState {
  readonly name: string;
  readonly serial: string | null;
  readonly peers: readonly string[];
  readonly mode: HaMode;
  /** As in `8.0.3`. */
  readonly firmware: string | null;
  readonly licenses: readonly HeldLicense[];
  /** `pending`: assigned to users who have not activated them yet. */
  readonly tokens: { readonly total: number; readonly assigned: number; readonly pending: number } | null;
  /** The firewall policy that its traffic matches: `policy 5 "fac-out"`, `no policy`. */
  readonly policy: string | null;
}

export interface HeldLicense {
  readonly license: string;
  /** Serial number of the unit that it is registered to. */
  readonly holder: string | null;
}

export const unitStateSchema: z.ZodType<UnitState> = z.object({
  name: z.string(),
  serial: z.nullable(z.string()),
  peers: z.array(z.string()),
  mode: z.enum(MODES),
  firmware: z.nullable(z.string()),
  licenses: z.array(z.object({ license: z.string(), holder: z.nullable(z.string()) })),
  tokens: z.nullable(z.object({ total: z.number(), assigned: z.number(), pending: z.number() })),
  policy: z.nullable(z.string()),
});

export function unitStateOf({ config, rest, role }: UnitObservation, picture: SlowFactsBySource): UnitState {
  const { name, serial, peers, mode } = unitOf(config, rest, role);
  const tokens = rest?.kind === 'ok' ? valueOf(rest.tokens) : null;
  return {
    name,
    serial,
    peers,
    mode,
    firmware: firmwareOf(rest, role),
    licenses: licensesOf(config.licenses, rest).map((license) => ({ license, holder: holderOf(license, picture) })),
    tokens:
      tokens === null
        ? null
        : { total: tokens.total, assigned: tokens.byStatus.assigned, pending: tokens.byStatus.pending },
    policy: policyOf(name, picture),
  };
}

function firmwareOf(rest: UnitObservation['rest'], role: UnitObservation['role']): string | null {
  const told = (rest?.kind === 'ok' ? rest.system.firmware : null) ?? (role?.kind === 'ok' ? role.firmware : null);
  return told === null ? null : (firmwareVersion(told)?.join('.') ?? null);
}

function holderOf(license: string, { registration }: SlowFactsBySource): string | null {
  const lookups = registration?.kind === 'ok' ? registration.lookups : [];
  const outcome: LicenseOutcome | undefined = lookups.find((lookup) => lookup.license === license)?.outcome;
  return outcome?.kind === 'registered' ? outcome.serial : null;
}

function policyOf(name: string, { firewall }: SlowFactsBySource): string | null {
  const flow = askedFor(firewall, name);
  if (flow?.kind !== 'ok') return null;
  return flow.match.kind === 'policy' ? policyText(flow.match.policy) : 'no policy';
}
