import { CHECKS } from './registry.ts';
import type { UnitFacts } from './unit-facts.ts';
import type { SlowFactsBySource } from '../sources/registry.ts';
import { activationContextOf, type ActivationContext } from '../core/license/activation-context.ts';
import type { Assessment } from '../engine/assessment.ts';

/** What impact texts depend on, as far as an appliance told. */
export function activationOf({ appliances: units }: SlowFactsBySource): ActivationContext {
  return activationContextOf(units);
}

/** What the appliances, their registration and the firewall mean for their preconditions. Pure. */
export function assessUnits(facts: UnitFacts): readonly Assessment[] {
  return CHECKS.flatMap((check) => (check.from === 'units' ? [{ id: check.id, ...check.judge(facts) }] : []));
}

/** What they mean for what a round found out. */
export function withUnits(probed: readonly Assessment[], picture: SlowFactsBySource): readonly Assessment[] {
  return probed.map((own) => CHECKS.find(({ id }) => id === own.id)?.withUnits?.(own, picture) ?? own);
}
