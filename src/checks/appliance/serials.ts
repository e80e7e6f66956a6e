import type { ApplianceCause } from './causes.ts';
import { type Finding, note } from '../../engine/finding.ts';
import type { HaRoleObservation } from '../../core/license/ha-role.ts';
import { type ExpectedUnit, sameSerial } from '../../core/license/unit.ts';

/** What a unit says of itself. `peerSerial` null: it names none, which is none that differs. */
interface UnitSerials {
  readonly appliance: string;
  readonly serial: string;
  readonly peerSerial: string | null;
}

/**
 * Compares the members of a pair, in either order: a floating address leads to the other member after a failover, which
 * is worth a note. Any other serial number is that of another unit.
 */
export function judgeSerials(told: UnitSerials, expected: ExpectedUnit): readonly Finding<ApplianceCause>[] {
  const { serial, peerSerial } = told;
  const { serial: own, peerSerial: peer } = expected;
  if (own === null) return isSame(peer, serial) ? [] : judgePeer(told, peer, peerSerial);
  if (sameSerial(own, serial)) return judgePeer(told, peer, peerSerial);
  const otherAnswers = note({
    rule: 'serial-matches',
    subject: told.appliance,
    claim: `The HA peer ${serial} answers here: a failover has taken place.`,
    expected: `serial ${own}`,
    actual: `the HA peer ${serial} answers: a failover has taken place`,
    facts: factsOf(told),
  });
  if (isSame(peerSerial, own)) return [otherAnswers, ...judgePeer(told, peer, serial)];
  if (!isSame(peer, serial)) return [differs(told, 'serial-matches', own, serial)];
  return peerSerial === null ? [otherAnswers] : [otherAnswers, differs(told, 'serial-matches', own, peerSerial)];
}

/** The same by SNMP alone, which names no peer. */
export function judgeToldSerial(
  role: HaRoleObservation | null,
  expected: ExpectedUnit,
): readonly Finding<ApplianceCause>[] {
  if (role?.kind !== 'ok' || role.serial === null) return [];
  return judgeSerials({ appliance: role.appliance, serial: role.serial, peerSerial: null }, expected);
}

function judgePeer(
  told: UnitSerials,
  configured: string | null,
  found: string | null,
): readonly Finding<ApplianceCause>[] {
  if (configured === null || found === null || sameSerial(configured, found)) return [];
  return [{ ...differs(told, 'peer-serial-matches', configured, found), kind: 'peer' }];
}

function differs(told: UnitSerials, rule: string, configured: string, found: string): Finding<ApplianceCause> {
  return {
    rule,
    subject: told.appliance,
    claim: `The ${rule === 'serial-matches' ? 'unit' : 'HA peer'} has the serial number ${found}, not ${configured}.`,
    expected: `serial ${configured}`,
    actual: `serial ${found}`,
    level: 'warning',
    suggests: 'appliance-serial-differs',
    facts: { ...factsOf(told), configured, found },
  };
}

function factsOf({ appliance, serial }: UnitSerials): { readonly appliance: string; readonly serial: string } {
  return { appliance, serial };
}

function isSame(a: string | null, b: string): boolean {
  return a !== null && sameSerial(a, b);
}
