import {
  type ApplianceObservation,
  type ExpectedUnit,
  type HaRoleObservation,
  type Unit,
  unitOf,
} from './appliance.ts';

interface SeenUnit {
  readonly config: ExpectedUnit;
  readonly rest: ApplianceObservation | null;
  readonly role: HaRoleObservation | null;
}

export interface PairMember<Seen extends SeenUnit> {
  readonly seen: Seen;
  readonly unit: Unit;
}

/**
 * Returns a function that lists the other members of a unit's HA pair. Two units are a pair if the configuration, the
 * API or SNMP says so for one of them, and the other one does not name a different peer.
 */
export function pairsOf<Seen extends SeenUnit>(units: readonly Seen[]): (seen: Seen) => readonly PairMember<Seen>[] {
  const members = new Map(units.map((seen) => [seen, { seen, unit: unitOf(seen.config, seen.rest, seen.role) }]));
  const all = [...members.values()];
  // All serial numbers of `Unit` are in upper case.
  const bySerial = Map.groupBy(all, ({ unit: { serial } }) => serial);
  const peers = all.flatMap((member) => member.unit.peers.map((peer) => ({ peer, member })));
  const byPeer = Map.groupBy(peers, ({ peer }) => peer);
  const partners = (own: PairMember<Seen>): readonly PairMember<Seen>[] => {
    const named = own.unit.peers.flatMap((peer) => bySerial.get(peer) ?? []);
    const naming = own.unit.serial === null ? [] : (byPeer.get(own.unit.serial) ?? []).map(({ member }) => member);
    return [...new Set([...named, ...naming])].filter((other) => other !== own && agree(own.unit, other.unit));
  };
  // A unit that does not answer reports no serial number. If its serial number is not configured either, it can only be
  // the missing member of a cluster.
  const isOnlyUnnamed = bySerial.get(null)?.length === 1;
  const incomplete = (): readonly PairMember<Seen>[] =>
    all.filter((member) => member.unit.mode === 'cluster' && partners(member).length === 0);
  return (seen) => {
    const own = members.get(seen);
    if (own === undefined) return [];
    const found = partners(own);
    if (found.length > 0 || own.unit.serial !== null || !isOnlyUnnamed) return found;
    const candidates = incomplete();
    return candidates.length === 1 ? candidates : [];
  };
}

/** A unit without known peers does not contradict. */
function agree(a: Unit, b: Unit): boolean {
  const isPossible = ({ peers }: Unit, { serial }: Unit): boolean =>
    peers.length === 0 || serial === null || peers.includes(serial);
  return isPossible(a, b) && isPossible(b, a);
}
