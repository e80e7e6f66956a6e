import type { TokenPoolCause } from './causes.ts';
import { type Finding, note } from '../../engine/finding.ts';
import type { ApplianceFacts } from '../../core/license/appliance.ts';
import type { RegistrationObservation } from '../../core/license/registration.ts';
import { sameSerial } from '../../core/license/unit.ts';
import { valueOf } from '../../core/license/resource.ts';
import { toldOf } from '../told-of-appliance.ts';

/**
 * Compares the tokens that each licence brought with those that it was sold with, by the registration service: the
 * appliance's own total counts the same tokens as its list. A licence without tokens is not activated yet.
 */
export function judgeBought(
  facts: ApplianceFacts,
  registration: RegistrationObservation | null,
): readonly Finding<TokenPoolCause>[] {
  if (registration?.kind !== 'ok') return [];
  const held = valueOf(facts.tokens)?.byLicense ?? [];
  return registration.lookups.flatMap(({ license, outcome }): readonly Finding<TokenPoolCause>[] => {
    const tokens = held.find((one) => sameSerial(one.license, license))?.tokens ?? 0;
    const bought = outcome.kind === 'registered' ? (outcome.bought ?? tokens) : tokens;
    if (tokens === 0 || tokens === bought) return [];
    const expected = `${String(bought)} tokens of licence ${license}, as it was sold`;
    const told = toldOf(facts, 'tokens-as-bought', expected, `${String(tokens)} tokens of it`);
    const ofLicense = { ...told, facts: { ...told.facts, license } };
    return tokens > bought ? [note(ofLicense)] : [{ ...ofLicense, level: 'warning', suggests: 'token-count-mismatch' }];
  });
}
