import type { UnitObservation } from '../../../src/connectors/picture.ts';
import type { Judgement } from '../../../src/checks/check.ts';
import { licenseAssignment } from '../../../src/checks/license-assignment/judge.ts';
import type {
  ApplianceFacts,
  ApplianceObservation,
  HaRoleObservation,
  haRoleOf,
} from '../../../src/core/license/appliance.ts';
import type { EpochMs } from '../../../src/core/clock.ts';
import type { LicenseOutcome, RegistrationObservation } from '../../../src/core/license/registration.ts';
import type { Finding } from '../../../src/engine/model.ts';
import { configOf } from '../config/config-of.ts';
import { applianceFacts } from './appliance-facts.ts';
import { factsOf } from './facts.ts';
import { picture } from './observed.ts';
import { withPlainClaims } from './plain-claim.ts';

type HaRole = NonNullable<ReturnType<typeof haRoleOf>>;

const CONFIG = await configOf('appliances: [{ name: fac-1 }]\nregistration: { user: api, passwordEnv: SET_SECRET }');

/** What is configured of a unit. */
export type ExpectedUnit = Pick<UnitObservation['config'], 'name' | 'serial' | 'peerSerial' | 'licenses'>;

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
    locked: { new: 0, available: 0, pending: 0, assigned: 0, other: 0 },
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

/** Returns a configured unit and what was seen of it. */
export function listed(
  expected: ExpectedUnit,
  seen: ApplianceObservation | null,
  told: HaRoleObservation | null = null,
): UnitObservation {
  const [config] = CONFIG.appliances;
  if (config === undefined) throw new Error('Expected a unit');
  return { config: { ...config, ...expected }, rest: seen, role: told };
}

/** Returns the check's result. @param isConfigured whether `registration` is in the configuration */
export function judgement(
  appliances: readonly UnitObservation[],
  registration: RegistrationObservation | null,
  { at = 0, isConfigured = true }: { readonly at?: EpochMs; readonly isConfigured?: boolean } = {},
): Judgement {
  const config = isConfigured ? CONFIG : { ...CONFIG, registration: null };
  return licenseAssignment.judge(factsOf({ config, picture: picture({ appliances, registration }), at }));
}

/** Returns the findings about the licences of all configured units. */
export const judgeUnits = withPlainClaims(
  (
    appliances: readonly UnitObservation[],
    registration: RegistrationObservation | null,
    at: EpochMs = 0,
  ): readonly Finding[] => judgement(appliances, registration, { at, isConfigured: registration !== null }).findings,
);

/** Returns the findings about the licence at this unit, the only one configured. */
export function judge(unit: UnitObservation, outcome: LicenseOutcome): readonly Finding[] {
  return judgeUnits([unit], { kind: 'ok', lookups: [{ license: LICENSE, outcome }] });
}

/** Returns the outcome for a licence registered to this serial number. */
export function held(serial: string): LicenseOutcome {
  return { kind: 'registered', serial };
}
