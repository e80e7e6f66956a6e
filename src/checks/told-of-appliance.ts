import type { ApplianceFacts } from '../core/license/appliance.ts';
import type { FindingContent } from '../engine/finding.ts';

/** What was found at an appliance that answers. */
export function toldOf(
  { appliance, system }: ApplianceFacts,
  rule: string,
  expected: string,
  actual: string,
): FindingContent<never> {
  return { rule, subject: appliance, expected, actual, facts: { appliance, serial: system.serial } };
}
