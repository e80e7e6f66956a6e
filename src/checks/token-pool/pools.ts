import type { ApplianceObservation } from '../../core/license/appliance.ts';
import { valueOf } from '../../core/license/resource.ts';
import { sameSerial, type Unit, unitOf } from '../../core/license/unit.ts';
import type { CertificateConfig } from '../../sources/appliances/section.ts';
import type { UnitObservation } from '../../sources/appliances/unit-observation.ts';

/** The tokens of one unit, or those that the members of a pair have in common. */
export interface Pool {
  /** Names of the units that assign from it. */
  readonly members: readonly string[];
  /** What the member says that tells most: the one in charge, where that is known. */
  readonly observation: ApplianceObservation;
  /** Licences that the configuration names for any of them. */
  readonly licenses: readonly string[];
  /** What their licence certificates say. */
  readonly certificates: readonly CertificateConfig[];
  readonly tokensLow: number;
}

interface Asked {
  readonly config: UnitObservation['config'];
  readonly rest: ApplianceObservation;
  readonly unit: Unit;
}

/**
 * The members of an active-passive cluster share their whole configuration, tokens included (administration guide
 * 6.4.1/122076): two of them are one pool, which is told once.
 */
export function poolsOf(units: readonly UnitObservation[]): readonly Pool[] {
  const groups: Asked[][] = [];
  for (const { config, rest, role } of units) {
    if (rest === null) continue;
    const asked = { config, rest, unit: unitOf(config, rest, role) };
    const group = groups.find((members) => members.some((member) => arePaired(member.unit, asked.unit)));
    if (group === undefined) groups.push([asked]);
    else group.push(asked);
  }
  return groups.flatMap((members) => poolOf(members) ?? []);
}

function poolOf(members: readonly Asked[]): Pool | null {
  const [speaker] = members.toSorted((a, b) => standing(b) - standing(a));
  if (speaker === undefined) return null;
  return {
    members: members.map(({ config: { name } }) => name),
    observation: speaker.rest,
    licenses: [...new Set(members.flatMap(({ config: { licenses } }) => licenses))],
    certificates: members.flatMap(({ config: { certificates } }) => certificates),
    tokensLow: speaker.config.tokensLow,
  };
}

function standing({ rest, unit }: Asked): number {
  if (rest.kind !== 'ok') return 0;
  if (valueOf(rest.tokens) === null) return 1;
  return unit.primary !== null && unit.primary === unit.serial ? 3 : 2;
}

function arePaired(a: Unit, b: Unit): boolean {
  return isPeer(a, b) || isPeer(b, a);
}

function isPeer({ mode, peers }: Unit, { serial }: Unit): boolean {
  return mode === 'cluster' && serial !== null && peers.some((peer) => sameSerial(peer, serial));
}
