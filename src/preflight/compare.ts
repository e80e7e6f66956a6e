import * as z from 'zod';
import { titleOf } from '../checks/registry.ts';
import { counted } from '../core/phrases.ts';
import { sameSerial, firmwareVersion, licensesOf, type HaMode, unitOf } from '../core/license/appliance.ts';
import { type PreconditionState, type Diagnosis, PRECONDITION_STATES } from '../engine/model.ts';
import { isoTime } from '../core/time-text.ts';
import { askedFor, policyText } from '../core/license/firewall.ts';
import type { LicenseOutcome } from '../core/license/registration.ts';
import { valueOf } from '../core/license/resource.ts';
import type { UnitObservation, Picture } from '../connectors/picture.ts';

/** Returns what has changed since the snapshot and what it means. Unchanged facts are left out. */
export function changesSince(before: Snapshot, after: Snapshot): readonly Change[] {
  return [
    ...serialChanges(before, after.unit),
    ...licenseChanges(before, after.unit),
    ...tokenChanges(before.unit, after.unit),
    ...roleChanges(before.unit, after.unit),
    ...firmwareChanges(before, after.unit),
    ...policyChanges(before.unit, after.unit),
    ...preconditionChanges(before, after),
  ];
}

function serialChanges({ migration, unit }: Snapshot, { serial }: UnitState): readonly Change[] {
  const planned = migration.licenses.length > 0 ? unit.serial : (migration.serial ?? unit.serial);
  if (isSame(serial, unit.serial) && isSame(serial, planned)) return [];
  if (serial === null)
    return [{ kind: 'not-visible', what: 'The serial number is not told', means: 'See that the API answers' }];
  const what = `Serial number ${serial}, before ${unit.serial ?? 'not told'}`;
  if (planned === null || isSame(serial, planned)) return [{ kind: 'as-planned', what, means: 'As planned' }];
  return [{ kind: 'broken', what, means: `${planned} was planned: is this the right unit?` }];
}

function isSame(one: string | null, other: string | null): boolean {
  return one === null || other === null ? one === other : sameSerial(one, other);
}

function tokenChanges({ tokens: was }: UnitState, { tokens: is }: UnitState): readonly Change[] {
  if (was === null) return [];
  if (is === null) return [{ kind: 'not-visible', what: 'The tokens are not told', means: 'See that the API answers' }];
  const missing = was.assigned - is.assigned;
  const assigned =
    missing > 0
      ? [
          {
            kind: 'to-do' as const,
            what: `${String(is.assigned)} tokens are assigned, ${String(was.assigned)} were`,
            means: `${counted(missing, 'user')} must be given a token again`,
          },
        ]
      : [];
  if (is.total >= was.total) return assigned;
  const what = `${String(is.total)} tokens are on the unit, ${String(was.total)} were`;
  return [...assigned, { kind: 'to-do', what, means: 'Make them again from their licences' }];
}

function roleChanges(was: UnitState, is: UnitState): readonly Change[] {
  if (was.mode === is.mode) return [];
  if (is.mode === 'unknown')
    return [{ kind: 'not-visible', what: `It was ${was.mode}, and its role is not told now`, means: 'See SNMP' }];
  return [
    {
      kind: was.mode === 'unknown' ? 'as-planned' : 'to-do',
      what: `Its role is ${is.mode}, it was ${was.mode}`,
      means: 'See System > Administration > High Availability whether that is meant',
    },
  ];
}

function firmwareChanges({ migration, unit: { firmware: was } }: Snapshot, { firmware }: UnitState): readonly Change[] {
  const planned = migration.firmware ?? was;
  if (firmware === was && firmware === planned) return [];
  if (firmware === null)
    return [{ kind: 'not-visible', what: 'The firmware is not told', means: 'See that the API answers' }];
  const what = `Firmware ${firmware}, before ${was ?? 'not told'}`;
  // If no firmware change was planned, a different version is only mentioned.
  return migration.firmware === null || firmware === migration.firmware
    ? [{ kind: 'as-planned', what, means: 'Licences and tokens stay' }]
    : [{ kind: 'to-do', what, means: `${migration.firmware} was planned` }];
}

function policyChanges({ policy: was }: UnitState, { policy: is }: UnitState): readonly Change[] {
  if (was === is || was === null) return [];
  if (is === null)
    return [{ kind: 'not-visible', what: `The firewall no longer tells its policy, ${was}`, means: 'See its token' }];
  return [{ kind: 'as-planned', what: `It matches ${is}, before ${was}`, means: 'The line below judges it' }];
}

function preconditionChanges(before: Snapshot, after: Snapshot): readonly Change[] {
  return after.preconditions.flatMap(({ id, state, summary }): readonly Change[] => {
    const was = before.preconditions.find((one) => one.id === id)?.state ?? 'not-configured';
    if (was === state) return [];
    return [{ kind: kindOf(state), what: `${titleOf(id)}: ${state}, before ${was}`, means: summary }];
  });
}

function kindOf(state: PreconditionState): Change['kind'] {
  switch (state) {
    case 'ok':
      return 'as-planned';
    case 'warning':
      return 'to-do';
    case 'broken':
      return 'broken';
    case 'blocked':
    case 'unknown':
    case 'not-configured':
      return 'not-visible';
  }
}

/** One difference between before and after. `as-planned`: the intended result of the migration. */
export interface Change {
  readonly kind: 'as-planned' | 'to-do' | 'broken' | 'not-visible';
  readonly what: string;
  readonly means: string;
}

/** Returns where each licence is, and whether that is correct. */
function licenseChanges({ migration, unit }: Snapshot, after: UnitState): readonly Change[] {
  const numbers = new Set([...unit.licenses, ...after.licenses].map(({ license }) => license));
  return [...numbers].flatMap((license) => {
    const was = holderOf(license, unit);
    return licenseChange(
      { license, was, is: holderOf(license, after), target: targetOf(license, migration) ?? was },
      after,
    );
  });
}

interface Holders {
  readonly license: string;
  readonly was: string | null;
  readonly is: string | null;
  /** The intended holder. */
  readonly target: string | null;
}

function licenseChange({ license, was, is, target }: Holders, after: UnitState): readonly Change[] {
  if (is === null) return target === null ? [] : [untold(license)];
  if (target !== null && !sameSerial(is, target) && !isInPair(after, is))
    return [
      {
        kind: 'to-do',
        what: `${license} is registered to ${is}, not to ${target}`,
        means: 'New tokens cannot be provisioned until Fortinet moves it',
      },
    ];
  if (was !== null && sameSerial(was, is)) return [];
  return [{ kind: 'as-planned', what: `${license} is registered to ${is}`, means: 'Where it belongs' }];
}

function untold(license: string): Change {
  return {
    kind: 'not-visible',
    what: `Who holds ${license} is not told`,
    means: 'See it at support.fortinet.com, or configure "registration"',
  };
}

function targetOf(license: string, { serial, licenses }: Migration): string | null {
  return licenses.length === 0 || licenses.includes(license) ? serial : null;
}

function holderOf(license: string, { licenses }: UnitState): string | null {
  return licenses.find((held) => held.license === license)?.holder ?? null;
}

/** The members of a pair share their licences. */
function isInPair({ serial, peers, mode }: UnitState, holder: string): boolean {
  if (mode !== 'cluster') return false;
  return [serial, ...peers].some((member) => member !== null && sameSerial(member, holder));
}

const MODES = ['cluster', 'standalone', 'load-balancer', 'unknown'] as const satisfies readonly HaMode[];

/** The current state of everything that a migration can change on a unit. Null if unknown. */
export interface UnitState {
  readonly name: string;
  readonly serial: string | null;
  readonly peers: readonly string[];
  readonly mode: HaMode;
  /** For example `8.0.3`. */
  readonly firmware: string | null;
  readonly licenses: readonly HeldLicense[];
  /** `pending`: assigned to users who have not activated them yet. */
  readonly tokens: { readonly total: number; readonly assigned: number; readonly pending: number } | null;
  /** The firewall policy that its traffic matches: `policy 5 "fac-out"`, `no policy`. */
  readonly policy: string | null;
}

export interface HeldLicense {
  readonly license: string;
  /** Serial number of the unit to which it is registered. */
  readonly holder: string | null;
}

const unitStateSchema: z.ZodType<UnitState> = z.object({
  name: z.string(),
  serial: z.nullable(z.string()),
  peers: z.array(z.string()),
  mode: z.enum(MODES),
  firmware: z.nullable(z.string()),
  licenses: z.array(z.object({ license: z.string(), holder: z.nullable(z.string()) })),
  tokens: z.nullable(z.object({ total: z.number(), assigned: z.number(), pending: z.number() })),
  policy: z.nullable(z.string()),
});

export function unitStateOf({ config, rest, role }: UnitObservation, picture: Picture): UnitState {
  const { name, serial, peers, mode } = unitOf(config, rest, role);
  const tokens = rest?.kind === 'ok' ? valueOf(rest.tokens) : null;
  return {
    name,
    serial,
    peers,
    mode,
    firmware: firmwareOf(rest, role),
    licenses: licensesOf(config.licenses, rest).map((license) => ({ license, holder: unitHolderOf(license, picture) })),
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

function unitHolderOf(license: string, { registration }: Picture): string | null {
  const lookups = registration?.kind === 'ok' ? registration.lookups : [];
  const outcome: LicenseOutcome | undefined = lookups.find((lookup) => lookup.license === license)?.outcome;
  return outcome?.kind === 'registered' ? outcome.serial : null;
}

function policyOf(name: string, { firewall }: Picture): string | null {
  const flow = askedFor(firewall, name);
  if (flow?.kind !== 'ok') return null;
  return flow.match.kind === 'policy' ? policyText(flow.match.policy) : 'no policy';
}

/** Planned changes to one unit. Null if unchanged. */
export interface Migration {
  /** Configured name of the appliance. */
  readonly unit: string;
  /** The future serial number of the unit, or the unit to which a licence moves. */
  readonly serial: string | null;
  /** The future source address of its traffic. */
  readonly address: string | null;
  readonly firmware: string | null;
  /** Licences that move to `serial` while the unit stays. Empty if the unit itself is replaced. */
  readonly licenses: readonly string[];
}

const migrationSchema: z.ZodType<Migration> = z.object({
  unit: z.string(),
  serial: z.nullable(z.string()),
  address: z.nullable(z.string()),
  firmware: z.nullable(z.string()),
  licenses: z.array(z.string()),
});

/** A unit and the path before a migration: the file that `preflight migration` writes. Part of the public contract. */
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
 * Parses a snapshot.
 * @throws {Error} describing what is wrong with it
 */
export function parseSnapshot(text: string): Snapshot {
  const read = snapshotSchema.safeParse(JSON.parse(text));
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? '' : ` at "${issue.path.join('.')}"`;
  throw new Error(`expected what "ftm-watch preflight migration" writes${where}: ${issue?.message ?? ''}`);
}
