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
    return [{ kind: 'not-visible', what: 'The unit does not report its serial number', means: 'Check that the API works' }];
  const what = `The serial number is ${serial} (previously ${unit.serial ?? 'not reported'})`;
  if (planned === null || isSame(serial, planned)) return [{ kind: 'as-planned', what, means: 'As planned' }];
  return [{ kind: 'broken', what, means: `${planned} was planned. Check that this is the right unit` }];
}

function isSame(one: string | null, other: string | null): boolean {
  return one === null || other === null ? one === other : sameSerial(one, other);
}

function tokenChanges({ tokens: was }: UnitState, { tokens: is }: UnitState): readonly Change[] {
  if (was === null) return [];
  if (is === null)
    return [{ kind: 'not-visible', what: 'The unit does not report its tokens', means: 'Check that the API works' }];
  const missing = was.assigned - is.assigned;
  const assigned =
    missing > 0
      ? [
          {
            kind: 'to-do' as const,
            what: `${counted(is.assigned, 'assigned token')} (previously ${String(was.assigned)})`,
            means: `Assign new tokens to ${counted(missing, 'user')}`,
          },
        ]
      : [];
  if (is.total >= was.total) return assigned;
  const what = `${counted(is.total, 'token')} on the unit (previously ${String(was.total)})`;
  return [...assigned, { kind: 'to-do', what, means: 'Create the missing tokens again from their licences' }];
}

function roleChanges(was: UnitState, is: UnitState): readonly Change[] {
  if (was.mode === is.mode) return [];
  if (is.mode === 'unknown')
    return [
      {
        kind: 'not-visible',
        what: `The unit no longer reports its role (previously ${was.mode})`,
        means: 'Check that SNMP works',
      },
    ];
  return [
    {
      kind: was.mode === 'unknown' ? 'as-planned' : 'to-do',
      what: `The role of the unit is ${is.mode} (previously ${was.mode})`,
      means: 'Check under System > Administration > High Availability whether this is intended',
    },
  ];
}

function firmwareChanges({ migration, unit: { firmware: was } }: Snapshot, { firmware }: UnitState): readonly Change[] {
  const planned = migration.firmware ?? was;
  if (firmware === was && firmware === planned) return [];
  if (firmware === null)
    return [{ kind: 'not-visible', what: 'The unit does not report its firmware version', means: 'Check that the API works' }];
  const what = `The firmware version is ${firmware} (previously ${was ?? 'not reported'})`;
  // If the plan did not include a firmware change, a different version does not require any action.
  return migration.firmware === null || firmware === migration.firmware
    ? [{ kind: 'as-planned', what, means: 'Licences and tokens are kept' }]
    : [{ kind: 'to-do', what, means: `${migration.firmware} was planned` }];
}

function policyChanges({ policy: was }: UnitState, { policy: is }: UnitState): readonly Change[] {
  if (was === is || was === null) return [];
  if (is === null)
    return [
      {
        kind: 'not-visible',
        what: `The firewall no longer reports the matching policy (previously ${was})`,
        means: "Check the firewall's API token",
      },
    ];
  return [
    {
      kind: 'as-planned',
      what: `The traffic matches ${is} (previously ${was})`,
      means: 'The policy is evaluated below',
    },
  ];
}

function preconditionChanges(before: Snapshot, after: Snapshot): readonly Change[] {
  return after.preconditions.flatMap(({ id, state, summary }): readonly Change[] => {
    const was = before.preconditions.find((one) => one.id === id)?.state ?? 'not-configured';
    if (was === state) return [];
    return [{ kind: kindOf(state), what: `${titleOf(id)}: ${state} (previously ${was})`, means: summary }];
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

/** `as-planned` means that the migration was supposed to cause this difference. */
export interface Change {
  readonly kind: 'as-planned' | 'to-do' | 'broken' | 'not-visible';
  readonly what: string;
  readonly means: string;
}

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
  /** Serial number of the unit that should hold the licence. */
  readonly target: string | null;
}

function licenseChange({ license, was, is, target }: Holders, after: UnitState): readonly Change[] {
  if (is === null) return target === null ? [] : [unreported(license)];
  if (target !== null && !sameSerial(is, target) && !isInPair(after, is))
    return [
      {
        kind: 'to-do',
        what: `${license} is registered to ${is}, not to ${target}`,
        means: 'New tokens cannot be provisioned until Fortinet moves the licence',
      },
    ];
  if (was !== null && sameSerial(was, is)) return [];
  return [{ kind: 'as-planned', what: `${license} is registered to ${is}`, means: 'This is the intended unit' }];
}

function unreported(license: string): Change {
  return {
    kind: 'not-visible',
    what: `It is unknown to which unit ${license} is registered`,
    means: 'Check the licence at support.fortinet.com, or configure "registration"',
  };
}

function targetOf(license: string, { serial, licenses }: Migration): string | null {
  return licenses.length === 0 || licenses.includes(license) ? serial : null;
}

function holderOf(license: string, { licenses }: UnitState): string | null {
  return licenses.find((held) => held.license === license)?.holder ?? null;
}

/** Both members of a high-availability pair share their licences. */
function isInPair({ serial, peers, mode }: UnitState, holder: string): boolean {
  if (mode !== 'cluster') return false;
  return [serial, ...peers].some((member) => member !== null && sameSerial(member, holder));
}

const MODES = ['cluster', 'standalone', 'load-balancer', 'unknown'] as const satisfies readonly HaMode[];

/** Unknown values are null. */
export interface UnitState {
  readonly name: string;
  readonly serial: string | null;
  readonly peers: readonly string[];
  readonly mode: HaMode;
  /** For example `8.0.3`. */
  readonly firmware: string | null;
  readonly licenses: readonly HeldLicense[];
  /** Pending tokens are assigned to users who have not activated them yet. */
  readonly tokens: { readonly total: number; readonly assigned: number; readonly pending: number } | null;
  /** For example `policy 5 "fac-out"` or `no policy`. */
  readonly policy: string | null;
}

export interface HeldLicense {
  readonly license: string;
  /** Serial number of the unit that the licence is registered to. */
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

/** If a value is null, the property does not change. */
export interface Migration {
  readonly unit: string;
  /** Serial number of the replacement unit, or of the unit to which licences are transferred. */
  readonly serial: string | null;
  /** Future source address of the unit's traffic. */
  readonly address: string | null;
  readonly firmware: string | null;
  /** Licences to transfer to `serial` while the old unit stays in use. Empty if the unit itself is replaced. */
  readonly licenses: readonly string[];
}

const migrationSchema: z.ZodType<Migration> = z.object({
  unit: z.string(),
  serial: z.nullable(z.string()),
  address: z.nullable(z.string()),
  firmware: z.nullable(z.string()),
  licenses: z.array(z.string()),
});

/** The file format is part of the public API. */
export interface Snapshot {
  readonly version: 1;
  readonly site: string;
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

/** @throws {Error} that explains why the snapshot is invalid */
export function parseSnapshot(text: string): Snapshot {
  const read = snapshotSchema.safeParse(JSON.parse(text));
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? '' : ` at "${issue.path.join('.')}"`;
  throw new Error(
    `expected a file from "ftm-watch preflight migration", but found an invalid value${where}: ${issue?.message ?? ''}`,
  );
}
