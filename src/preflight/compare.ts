import * as z from 'zod';
import { titleOf } from '../checks/registry.ts';
import { counted } from '../core/visible-text.ts';
import { sameSerial, licensesOf } from '../core/license/appliance.ts';
import { type HaMode, isMember, unitOf } from '../core/license/cluster.ts';
import { firmwareVersion, isDowngrade } from '../core/license/firmware.ts';
import { type PreconditionState, type Diagnosis, PRECONDITION_STATES } from '../engine/model.ts';
import { isoTime } from '../core/time-text.ts';
import { askedFor, policyText } from '../core/firewall.ts';
import type { LicenseOutcome } from '../core/license/registration.ts';
import { valueOf } from '../core/observation.ts';
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
    return change('not-visible', 'The unit does not report its serial number', 'Check that the API works');
  const what = `The serial number is ${serial} (previously ${unit.serial ?? 'not reported'})`;
  if (planned === null || isSame(serial, planned)) return change('as-planned', what, 'As planned');
  return change('broken', what, `${planned} was planned. Check that this is the right unit`);
}

function change(kind: Change['kind'], what: string, means: string): readonly Change[] {
  return [{ kind, what, means }];
}

function isSame(one: string | null, other: string | null): boolean {
  return one === other || sameSerial(one, other);
}

function tokenChanges({ tokens: was }: UnitState, { tokens: is }: UnitState): readonly Change[] {
  if (was === null) return [];
  if (is === null) return change('not-visible', 'The unit does not report its tokens', 'Check that the API works');
  const missing = was.assigned - is.assigned;
  const assigned = `${counted(is.assigned, 'assigned token')} (previously ${String(was.assigned)})`;
  const total = `${counted(is.total, 'token')} on the unit (previously ${String(was.total)})`;
  return [
    ...(missing > 0 ? change('to-do', assigned, `Assign new tokens to ${counted(missing, 'user')}`) : []),
    ...(is.total < was.total ? change('to-do', total, 'Create the missing tokens again from their licences') : []),
  ];
}

function roleChanges(was: UnitState, is: UnitState): readonly Change[] {
  if (was.mode === is.mode) return [];
  if (is.mode === 'unknown')
    return change(
      'not-visible',
      `The unit no longer reports its role (previously ${was.mode})`,
      'Check that SNMP works',
    );
  return change(
    was.mode === 'unknown' ? 'as-planned' : 'to-do',
    `The role of the unit is ${is.mode} (previously ${was.mode})`,
    'Check under System > Administration > High Availability whether this is intended',
  );
}

const RESET = 'A downgrade resets the unit to factory defaults. Restore a configuration backup of this firmware';

function firmwareChanges({ migration, unit: { firmware: was } }: Snapshot, { firmware }: UnitState): readonly Change[] {
  const planned = migration.firmware ?? was;
  if (firmware === was && firmware === planned) return [];
  if (firmware === null)
    return change('not-visible', 'The unit does not report its firmware version', 'Check that the API works');
  const what = `The firmware version is ${firmware} (previously ${was ?? 'not reported'})`;
  // If the plan did not include a firmware change, a different version does not require any action.
  return migration.firmware === null || firmware === migration.firmware
    ? change('as-planned', what, isDowngrade(was, firmware) ? RESET : 'Licences and tokens are kept')
    : change('to-do', what, `${migration.firmware} was planned`);
}

function policyChanges({ policy: was }: UnitState, { policy: is }: UnitState): readonly Change[] {
  if (was === is || was === null) return [];
  if (is === null)
    return change(
      'not-visible',
      `The firewall no longer reports the matching policy (previously ${was})`,
      "Check the firewall's API token",
    );
  return change('as-planned', `The traffic matches ${is} (previously ${was})`, 'The policy is evaluated below');
}

function preconditionChanges(before: Snapshot, after: Snapshot): readonly Change[] {
  return after.preconditions.flatMap(({ id, state, summary }): readonly Change[] => {
    const was = before.preconditions.find((one) => one.id === id)?.state ?? 'not-configured';
    if (was === state) return [];
    return change(kindOf(state), `${titleOf(id)}: ${state} (previously ${was})`, summary);
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
  /** The serial number of the unit that should hold the licence. */
  readonly target: string | null;
}

function licenseChange({ license, was, is, target }: Holders, after: UnitState): readonly Change[] {
  if (is === null && target === null) return [];
  if (is === null)
    return change(
      'not-visible',
      `It is unknown which unit ${license} is registered to`,
      'Check the licence at support.fortinet.com, or configure "registration"',
    );
  if (target !== null && !sameSerial(is, target) && !isInPair(after, is))
    return change(
      'to-do',
      `${license} is registered to ${is}, not to ${target}`,
      'New tokens cannot be provisioned until Fortinet moves the licence',
    );
  if (sameSerial(was, is)) return [];
  return change('as-planned', `${license} is registered to ${is}`, 'This is the intended unit');
}

function targetOf(license: string, { serial, licenses }: Migration): string | null {
  return licenses.length === 0 || licenses.includes(license) ? serial : null;
}

export function holderOf(license: string, { licenses }: UnitState): string | null {
  return licenses.find((held) => sameSerial(held.license, license))?.holder ?? null;
}

/** The two members of a high-availability pair share their licences. */
function isInPair(unit: UnitState, holder: string): boolean {
  return unit.mode === 'cluster' && isMember(unit, holder);
}

const unitShape = z.object({
  name: z.string(),
  serial: z.string().nullable(),
  peers: z.array(z.string()).readonly(),
  mode: z.enum(['cluster', 'standalone', 'load-balancer', 'unknown'] satisfies readonly HaMode[]),
  /** For example `8.0.3`. */
  firmware: z.string().nullable(),
  /** `holder` is the serial number of the unit that the licence is registered to. */
  licenses: z.array(z.object({ license: z.string(), holder: z.string().nullable() })).readonly(),
  /** Pending tokens are assigned to users who have not activated them yet. */
  tokens: z.object({ total: z.number(), assigned: z.number(), pending: z.number() }).nullable(),
  /** For example `policy 5 "fac-out"` or `no policy`. */
  policy: z.string().nullable(),
});

/** Unknown values are null. */
export type UnitState = Readonly<z.infer<typeof unitShape>>;
export type HeldLicense = UnitState['licenses'][number];

export function unitStateOf(seen: UnitObservation, picture: Picture): UnitState {
  const { config, rest, role } = seen;
  const { name, serial, peers, mode } = unitOf(seen);
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

const migrationShape = z.object({
  unit: z.string(),
  /** Serial number of the replacement unit, or of the unit to which licences are transferred. */
  serial: z.string().nullable(),
  /** Future source address of the unit's traffic. */
  address: z.string().nullable(),
  firmware: z.string().nullable(),
  /** Licences to transfer to `serial` while the old unit stays in use. Empty if the unit itself is replaced. */
  licenses: z.array(z.string()).readonly(),
});

/** A null value means that the property does not change. */
export type Migration = Readonly<z.infer<typeof migrationShape>>;

const snapshotShape = z.object({
  version: z.literal(1),
  site: z.string(),
  at: z.iso.datetime(),
  migration: migrationShape,
  unit: unitShape,
  preconditions: z
    .array(z.object({ id: z.string(), state: z.enum(PRECONDITION_STATES), summary: z.string() }))
    .readonly(),
});

/** The file format is part of the public API. */
export type Snapshot = Readonly<z.infer<typeof snapshotShape>>;

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
  const read = snapshotShape.safeParse(JSON.parse(text));
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? '' : ` at "${issue.path.join('.')}"`;
  throw new Error(
    `expected a file from "ftm-watch preflight migration", but found an invalid value${where}: ${issue?.message ?? ''}`,
  );
}
