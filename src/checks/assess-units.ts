import { withPeerViews } from './peer-views.ts';
import { CHECKS } from './registry.ts';
import type { UnitFacts } from './unit-facts.ts';
import type { SlowFactsBySource } from '../sources/registry.ts';
import { activationContextOf, type ActivationContext } from '../core/license/activation-context.ts';
import { outageWarning } from '../core/license/firmware.ts';
import type { HostPort } from '../core/authority.ts';
import type { Assessment } from '../engine/assessment.ts';

/** What impact texts depend on, as far as an appliance told. */
export function activationOf({ appliances: units }: SlowFactsBySource): ActivationContext {
  const named = units.map(({ config: { name }, known = [] }) => ({ name, known }));
  return { ...activationContextOf(units), outageWarning: outageWarning(named) };
}

/** What the appliances, their registration and the firewall mean for their preconditions. Pure. */
export function assessUnits(facts: UnitFacts): readonly Assessment[] {
  return CHECKS.flatMap((check) => (check.from === 'units' ? [{ id: check.id, ...check.judge(facts) }] : []));
}

/** What they mean for what a round found out, and what other agents see of it. */
export function withUnits(
  probed: readonly Assessment[],
  { picture, licenseServer }: { readonly picture: SlowFactsBySource; readonly licenseServer: HostPort },
): readonly Assessment[] {
  return probed.map((own) => {
    const check = CHECKS.find(({ id }) => id === own.id);
    if (check === undefined) return own;
    const told = check.withUnits?.(own, picture) ?? own;
    return check.onPath === true ? withPeerViews(told, check, { ...picture, licenseServer }) : told;
  });
}
