import type { Finding } from '../../../src/engine/model.ts';
import {
  type ApplianceFacts,
  type ApplianceObservation,
  type HaRoleObservation,
  licensesOf,
  unitOf,
  type ExpectedUnit,
  type haRoleOf,
} from '../../../src/core/license/appliance.ts';
import { judgeLicenseAssignment, type usersOf } from '../../../src/checks/license-assignment/judge.ts';
import { withPlainClaims } from './plain-claim.ts';
import type { LicenseOutcome } from '../../../src/core/license/registration.ts';
import { applianceFacts } from './appliance-facts.ts';

type ListedUnit = Parameters<typeof usersOf>[0];
type HaRole = NonNullable<ReturnType<typeof haRoleOf>>;

/** The licence used by the tests. */
export const LICENSE: string = 'EFTM000000000001';
/** A unit configured with a peer, and one without. */
export const PAIR: ExpectedUnit = { name: 'fac-1', serial: 'FAC-A', peerSerial: 'FAC-B', licenses: [LICENSE] };
export const ALONE: ExpectedUnit = { ...PAIR, peerSerial: null };

/** The tokens of every unit before the first licence is activated. */
export const TRIAL_ONLY: ApplianceFacts['tokens'] = {
  kind: 'read',
  value: {
    total: 2,
    byStatus: { new: 0, available: 2, pending: 0, assigned: 0, other: 0 },
    byLicense: [{ license: 'FTMTRIAL00000001', tokens: 2 }],
    locked: 0,
    withoutLicense: 0,
  },
};

/** The unit's facts: in its cluster, after a failover, standalone, and after replacement. */
export const cluster: ApplianceFacts = applianceFacts({ system: { serial: 'FAC-A', peerSerial: 'FAC-B' } });
export const failedOver: ApplianceFacts = applianceFacts({ system: { serial: 'FAC-B', peerSerial: 'FAC-A' } });
export const standalone: ApplianceFacts = applianceFacts({ system: { serial: 'FAC-A', peerSerial: null } });
export const migrated: ApplianceFacts = applianceFacts({ system: { serial: 'FAC-NEW', peerSerial: null } });

/** Returns the role read over SNMP. */
export function role(value: HaRole, serial: string | null = 'FAC-A'): HaRoleObservation {
  return { kind: 'ok', appliance: 'fac-1', role: value, serial, firmware: null };
}

/** Returns the unit to be judged. */
export function listed(
  expected: ExpectedUnit,
  seen: ApplianceObservation | null,
  told: HaRoleObservation | null = null,
): ListedUnit {
  return { unit: unitOf(expected, seen, told), licenses: licensesOf(expected.licenses, seen), appliance: seen };
}

/** Returns the findings about the licence at this unit, the only one configured. */
export function judge(unit: ListedUnit, outcome: LicenseOutcome): readonly Finding[] {
  const registration = { kind: 'ok', lookups: [{ license: LICENSE, outcome }] } as const;
  return withPlainClaims(judgeLicenseAssignment)({ ...unit, listed: [unit], registration });
}

/** Returns the outcome for a licence registered to this serial number. */
export function held(serial: string): LicenseOutcome {
  return { kind: 'registered', serial };
}
