import type { ApplianceConfig } from '../config/schema/appliances.ts';
import type { Config } from '../config/config.ts';
import type { ApplianceObservation } from '../core/license/appliance.ts';
import type { FirewallObservation } from '../core/license/firewall.ts';
import type { HaRoleObservation } from '../core/license/ha-role.ts';
import type { RegistrationObservation } from '../core/license/registration.ts';

/** One appliance as it was last seen; null: not configured, or not asked yet. */
export interface UnitObservation {
  readonly config: ApplianceConfig;
  readonly rest: ApplianceObservation | null;
  readonly role: HaRoleObservation | null;
}

/** What is known beyond the path: FortiAuthenticator itself, its licences, the firewall in front of it. */
export interface UnitsPicture {
  readonly units: readonly UnitObservation[];
  readonly registration: RegistrationObservation | null;
  readonly firewall: FirewallObservation | null;
}

export type UnitSource = 'appliances' | 'registration' | 'firewall';

export interface UnitFacts {
  readonly config: Config;
  readonly picture: UnitsPicture;
  /** Names of the appliances whose log has arrived until now. */
  readonly speaking: readonly string[];
}
