import { type ApplianceObservation, type HaRoleFacts, type HaRoleObservation, sameSerial } from './appliance.ts';

interface ConfiguredUnit {
  readonly name: string;
  readonly serial: string | null;
  readonly peerSerial: string | null;
}

interface SeenUnit {
  readonly config: ConfiguredUnit;
  readonly rest: ApplianceObservation | null;
  readonly role: HaRoleObservation | null;
}

/**
 * `unknown`: neither REST nor SNMP reported the mode. A load balancer gets its tokens from a unit or a cluster, and
 * only SNMP distinguishes it from a standalone unit.
 */
export type HaMode = 'cluster' | 'standalone' | 'load-balancer' | 'unknown';

/** Combined from all sources. */
export interface Unit {
  readonly name: string;
  /** As reported by the responding unit or, if it reports none, as configured. */
  readonly serial: string | null;
  /** Serial numbers of the other cluster members, as reported by the unit or SNMP, or as configured. */
  readonly peers: readonly string[];
  readonly mode: HaMode;
  /** True if SNMP reported the unit's HA role. Null if SNMP is not configured. */
  readonly roleTold: boolean | null;
  /** Serial number of the current primary unit. */
  readonly primary: string | null;
}

/**
 * Values from the unit take precedence over the configuration. After a failover, a floating address may lead to the
 * other member. In that case, the configured serial number is the peer's.
 */
export function unitOf({ config, rest, role }: SeenUnit): Unit {
  const system = rest?.kind === 'ok' ? rest.system : null;
  const told = role?.kind === 'ok' ? role : null;
  const [serial = null] = distinct([system?.serial, told?.serial, config.serial]);
  const peers = distinct([system?.peerSerial, told?.serial, configuredPeer(config, serial)]).filter(
    (member) => member !== serial,
  );
  return {
    name: config.name,
    serial,
    peers,
    // The resource `systeminfo` reports the peer's serial "only in HA cluster member mode" (REST API guide).
    mode: typeof system?.peerSerial === 'string' ? 'cluster' : modeOf(told, system !== null),
    roleTold: role === null ? null : told !== null && told.role !== 'undetermined',
    primary: primaryOf(told, serial, peers),
  };
}

/**
 * The configured number belongs to the peer only if the responding unit is the configured peer. Otherwise, it is
 * outdated, for example after a migration.
 */
function configuredPeer({ serial: own, peerSerial: peer }: ConfiguredUnit, serial: string | null): string | null {
  return sameSerial(serial, peer) ? own : peer;
}

/** In upper case, as printed on the units. */
function distinct(serials: readonly (string | null | undefined)[]): readonly string[] {
  return [...new Set(serials.flatMap((serial) => (typeof serial === 'string' ? [serial.toUpperCase()] : [])))];
}

function modeOf(told: HaRoleFacts | null, answers: boolean): HaMode {
  switch (told?.role) {
    case 'cluster-primary':
    case 'cluster-secondary':
      return 'cluster';
    case 'load-balancer':
      return 'load-balancer';
    case 'standalone-primary':
    case 'disabled':
      return 'standalone';
    // A cluster member that is starting may not report its peer yet.
    case 'undetermined':
      return 'unknown';
    case undefined:
      return answers ? 'standalone' : 'unknown';
  }
}

/**
 * SNMP reports only the role of the unit that it reached, which may be the other member if SNMP uses a different
 * address.
 */
function primaryOf(told: HaRoleFacts | null, serial: string | null, peers: readonly string[]): string | null {
  if (told === null) return null;
  const spoke = told.serial?.toUpperCase() ?? serial;
  if (told.role === 'cluster-primary') return spoke;
  if (told.role !== 'cluster-secondary') return null;
  const [other = null, ...more] = [serial, ...peers].filter((member) => member !== null && member !== spoke);
  return more.length === 0 ? other : null;
}

/** True for the unit itself and the other members of its cluster. */
export function isMember({ serial, peers }: Pick<Unit, 'serial' | 'peers'>, holder: string): boolean {
  return [serial, ...peers].some((member) => sameSerial(member, holder));
}

export interface Member<Seen extends SeenUnit> {
  readonly seen: Seen;
  readonly unit: Unit;
  /** The other members of its HA pair. */
  readonly others: readonly Member<Seen>[];
}

/**
 * Two units are a pair if the configuration, the API or SNMP says so for one of them, and the other one does not name a
 * different peer. A unit that does not answer reports no serial number. If its serial number is not configured either,
 * it can only be the missing member of a cluster.
 */
export function membersOf<Seen extends SeenUnit>(units: readonly Seen[]): readonly Member<Seen>[] {
  const members = units.map((seen): Joining<Seen> => ({ seen, unit: unitOf(seen), others: [] }));
  const bySerial = Map.groupBy(members, ({ unit: { serial } }) => serial);
  for (const own of members)
    for (const other of own.unit.peers.flatMap((peer) => bySerial.get(peer) ?? []))
      if (agree(own.unit, other.unit)) join(own, other);
  const [unnamed, ...moreUnnamed] = bySerial.get(null) ?? [];
  const [incomplete, ...more] = members.filter(({ unit, others }) => unit.mode === 'cluster' && others.length === 0);
  const isClear = unnamed?.others.length === 0 && moreUnnamed.length + more.length === 0;
  if (isClear && incomplete !== undefined) join(unnamed, incomplete);
  return members;
}

interface Joining<Seen extends SeenUnit> extends Member<Seen> {
  readonly others: Joining<Seen>[];
}

function join<Seen extends SeenUnit>(one: Joining<Seen>, other: Joining<Seen>): void {
  if (one === other || one.others.includes(other)) return;
  one.others.push(other);
  other.others.push(one);
}

/** A unit without known peers does not contradict. */
function agree(a: Unit, b: Unit): boolean {
  const isPossible = ({ peers }: Unit, { serial }: Unit): boolean =>
    peers.length === 0 || serial === null || peers.includes(serial);
  return isPossible(a, b) && isPossible(b, a);
}
