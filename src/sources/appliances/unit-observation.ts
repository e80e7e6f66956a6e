import type { ApplianceConfig } from './section.ts';
import type { ApplianceObservation } from '../../core/license/appliance.ts';
import type { KnownFact } from '../../core/license/firmware.ts';
import type { HaRoleObservation } from '../../core/license/ha-role.ts';

/** One appliance as it was last seen; null: not configured, or not asked yet. */
export interface UnitObservation {
  readonly config: ApplianceConfig;
  readonly rest: ApplianceObservation | null;
  readonly role: HaRoleObservation | null;
  /** What is known of its firmware; absent: nothing. */
  readonly known?: readonly KnownFact[];
}
