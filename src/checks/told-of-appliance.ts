import type { ApplianceFacts } from '../core/license/appliance.ts';
import type { FindingContent, Told } from '../engine/finding.ts';

/** What was found at an appliance that answers. */
export function toldOf({ appliance, system }: ApplianceFacts, told: Told): FindingContent<never> {
  return { ...told, subject: appliance, facts: { appliance, serial: system.serial } };
}
