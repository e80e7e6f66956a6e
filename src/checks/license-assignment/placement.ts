import type { ApplianceObservation } from '../../core/license/appliance.ts';
import { valueOf } from '../../core/license/resource.ts';
import { sameSerial, type Unit } from '../../core/license/unit.ts';

/** A configured appliance, and which licences are thought to be on it. */
export interface ListedUnit {
  readonly unit: Unit;
  /** The licences that belong to it: those that the configuration names for it, and those that its tokens came with. */
  readonly licenses: readonly string[];
  readonly appliance: ApplianceObservation | null;
}

export interface PlacementQuestion {
  /** The unit that it is seen from. */
  readonly from: ListedUnit;
  readonly license: string;
  /** Serial number of the unit that the licence is registered to. */
  readonly holder: string;
  /** Every configured appliance. */
  readonly listed: readonly ListedUnit[];
}

/**
 * Where a licence is, seen from one unit. `in-place`: on this unit, on the member of its cluster that is in charge, on
 * a configured member that it belongs to as well while nobody tells which one is in charge, or on the unit that a load
 * balancer has its tokens from. `perhaps-shared`, `perhaps-other-unit`: outside, on a unit that is configured and on
 * one that is not, while nobody tells whether this one is a load balancer or a member of a pair. `unlisted-primary`:
 * the tokens of a load balancer come from a unit that is not configured.
 */
export type Placement =
  | 'in-place'
  | 'secondary'
  | 'peer'
  | 'other-unit'
  | 'perhaps-shared'
  | 'perhaps-other-unit'
  | 'unlisted-primary';

export function placementOf(question: PlacementQuestion): Placement {
  const { unit } = question.from;
  const { holder } = question;
  if (!isMember(unit, holder)) return placementOutside(question);
  if (unit.mode === 'cluster' && unit.primary !== null)
    return sameSerial(unit.primary, holder) ? 'in-place' : 'secondary';
  if (isOn(unit, holder) || unit.mode === 'load-balancer') return 'in-place';
  return unit.mode !== 'standalone' && holderExpectsIt(question) ? 'in-place' : 'peer';
}

/**
 * A load balancer has no licence of its own: the tokens that its primary sends it say nothing about where the licence
 * belongs.
 */
function placementOutside({ from, holder, listed }: PlacementQuestion): Placement {
  const { mode, roleTold } = from.unit;
  if (mode === 'load-balancer')
    return listed.some(({ unit }) => isMember(unit, holder)) ? 'in-place' : 'unlisted-primary';
  // Only SNMP tells a unit that runs alone from a load balancer, which has the tokens of its primary.
  if (mode === 'cluster' || roleTold === true) return 'other-unit';
  return listed.some(({ unit }) => isOn(unit, holder)) ? 'perhaps-shared' : 'perhaps-other-unit';
}

/** Whether a unit needs no licence of its own: another member of its cluster has one, or it is a load balancer. */
export function isCoveredByOthers({ unit }: ListedUnit, listed: readonly ListedUnit[]): boolean {
  if (unit.mode === 'load-balancer') return true;
  if (unit.mode === 'standalone') return false;
  return listed.some(
    ({ unit: { serial }, licenses }) => licenses.length > 0 && serial !== null && isMember(unit, serial),
  );
}

/** Of a unit that does not tell its tokens now nothing else is known than that it may. */
function holderExpectsIt({ license, holder, listed }: PlacementQuestion): boolean {
  return listed.some(
    ({ unit, licenses, appliance }) =>
      isOn(unit, holder) &&
      (licenses.some((own) => sameSerial(own, license)) || (appliance !== null && !tellsTokens(appliance))),
  );
}

function tellsTokens(appliance: ApplianceObservation): boolean {
  return appliance.kind === 'ok' && valueOf(appliance.tokens) !== null;
}

function isOn(unit: Unit, serial: string): boolean {
  return unit.serial !== null && sameSerial(unit.serial, serial);
}

/** Configured units that use the licences of this one, or may: itself, its cluster, and load balancers. */
export function usersOf({ unit }: ListedUnit, listed: readonly ListedUnit[]): readonly string[] {
  const others = listed.filter(({ unit: other }) => other.name !== unit.name && mayShare(unit, other));
  return [unit.name, ...others.map(({ unit: { name } }) => name)];
}

function mayShare(unit: Unit, other: Unit): boolean {
  if (unit.serial === null || other.serial === null || other.mode === 'load-balancer') return true;
  return isMember(unit, other.serial) || isMember(other, unit.serial);
}

function isMember(unit: Unit, serial: string): boolean {
  return isOn(unit, serial) || unit.peers.some((peer) => sameSerial(peer, serial));
}
