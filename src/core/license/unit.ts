import type { ApplianceObservation, SystemFacts } from './appliance.ts';
import type { HaRole, HaRoleFacts, HaRoleObservation } from './ha-role.ts';

/** What the configuration says about an appliance, as far as the judging needs it. */
export interface ExpectedUnit {
  readonly name: string;
  readonly serial: string | null;
  readonly peerSerial: string | null;
  readonly licenses: readonly string[];
}

/**
 * `unknown`: neither REST nor SNMP told. A load balancer takes its tokens from a unit or a cluster; SNMP alone tells it
 * from a unit alone.
 */
export type HaMode = 'cluster' | 'standalone' | 'load-balancer' | 'unknown';

/** One appliance and its HA peer, from everything that is known about them. */
export interface Unit {
  readonly name: string;
  /** Serial of the unit that answers, else the configured one. */
  readonly serial: string | null;
  /** The other members of its pair, as the unit, SNMP and the configuration name them. */
  readonly peers: readonly string[];
  readonly mode: HaMode;
  /** Whether SNMP told its role; null: SNMP is not configured. */
  readonly roleTold: boolean | null;
  /** Serial of the member that is in charge now; null where nobody tells. */
  readonly primary: string | null;
}

/**
 * Joins configuration, REST and SNMP. What the unit says of itself goes before the configuration, since a floating
 * address may lead to the other member after a failover: then the configured serial is the peer's.
 */
export function unitOf(
  expected: ExpectedUnit,
  observation: ApplianceObservation | null,
  role: HaRoleObservation | null,
): Unit {
  const system = systemOf(observation);
  const told = toldBy(role);
  const own = distinct([system?.serial, told?.serial, expected.serial]);
  const serial = own[0] ?? null;
  const peers = distinct([system?.peerSerial, told?.serial, configuredPeer(expected, serial)]).filter(
    (member) => member !== serial,
  );
  const mode = haModeOf(system, told?.role ?? null);
  const roleTold = role === null ? null : told !== null && told.role !== 'undetermined';
  return { name: expected.name, serial, peers, mode, roleTold, primary: primaryOf(told, serial, peers) };
}

/** Serial and licence numbers are typed by people. */
export function sameSerial(a: string, b: string): boolean {
  return a.toUpperCase() === b.toUpperCase();
}

function systemOf(observation: ApplianceObservation | null): SystemFacts | null {
  return observation?.kind === 'ok' ? observation.system : null;
}

function toldBy(role: HaRoleObservation | null): HaRoleFacts | null {
  return role?.kind === 'ok' ? role : null;
}

/**
 * A configured serial that does not answer is the peer's only if the peer does; else it is one from before a migration.
 */
function configuredPeer(expected: ExpectedUnit, serial: string | null): string | null {
  const { serial: own, peerSerial: peer } = expected;
  return serial !== null && peer !== null && sameSerial(serial, peer) ? own : peer;
}

/** As they are printed: in capitals. */
function distinct(serials: readonly (string | null | undefined)[]): readonly string[] {
  return [...new Set(serials.flatMap((serial) => (typeof serial === 'string' ? [serial.toUpperCase()] : [])))];
}

function haModeOf(system: SystemFacts | null, role: HaRole | null): HaMode {
  // systeminfo gives the peer's serial "only in HA cluster member mode" (REST API guide).
  if (system !== null && system.peerSerial !== null) return 'cluster';
  if (role === 'cluster-primary' || role === 'cluster-secondary') return 'cluster';
  if (role === 'load-balancer') return 'load-balancer';
  if (system !== null || role === 'standalone-primary' || role === 'disabled') return 'standalone';
  return 'unknown';
}

/** The role belongs to the unit that SNMP reached, which behind another address may be the other member. */
function primaryOf(told: HaRoleFacts | null, serial: string | null, peers: readonly string[]): string | null {
  if (told === null) return null;
  const spoke = told.serial?.toUpperCase() ?? serial;
  if (told.role === 'cluster-primary') return spoke;
  if (told.role !== 'cluster-secondary') return null;
  const others = [serial, ...peers].filter((member) => member !== null && member !== spoke);
  const [other] = others;
  return others.length === 1 && other !== undefined ? other : null;
}
