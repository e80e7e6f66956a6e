import type { TokenPoolCause } from './causes.ts';
import { type Finding, note } from '../../engine/finding.ts';
import type { ApplianceFacts } from '../../core/license/appliance.ts';
import type { RegistrationObservation } from '../../core/license/registration.ts';
import { sameSerial } from '../../core/license/unit.ts';
import { valueOf } from '../../core/license/resource.ts';
import type { CertificateConfig } from '../../sources/appliances/section.ts';
import { toldOf } from '../told-of-appliance.ts';

/** How many tokens a licence was sold with, and who says so. */
interface Bought {
  readonly license: string;
  readonly tokens: number;
  readonly by: string;
}

/**
 * Compares the tokens that each licence brought with those that it was sold with, by its certificate and by the
 * registration service: the appliance's own total counts the same tokens as its list. A licence without tokens is not
 * activated yet. What two say differently, and one of them as the unit has it, is no finding.
 */
export function judgeBought(
  facts: ApplianceFacts,
  registration: RegistrationObservation | null,
  certificates: readonly Pick<CertificateConfig, 'license' | 'tokens'>[],
): readonly Finding<TokenPoolCause>[] {
  const held = valueOf(facts.tokens)?.byLicense ?? [];
  return held.flatMap(({ license, tokens }): readonly Finding<TokenPoolCause>[] => {
    const bought = [...typedIn(certificates), ...registeredIn(registration)].filter((one) =>
      sameSerial(one.license, license),
    );
    const counts = [...new Set(bought.map((one) => one.tokens))];
    if (counts.length === 0 || counts.includes(tokens)) return [];
    const expected = bought.map((one) => `${String(one.tokens)} tokens of licence ${license}, ${one.by}`).join('; ');
    const claim = `Licence ${license} brought ${String(tokens)} tokens, but was sold with ${counts.join(' or ')}.`;
    const told = toldOf(facts, { rule: 'tokens-as-bought', claim, expected, actual: `${String(tokens)} tokens of it` });
    const ofLicense = { ...told, facts: { ...told.facts, license } };
    if (counts.some((count) => tokens > count)) return [note(ofLicense)];
    const doubt = counts.length > 1 ? ({ confidence: 'suspected' } as const) : {};
    return [{ ...ofLicense, level: 'warning', suggests: 'token-count-mismatch', ...doubt }];
  });
}

function typedIn(certificates: readonly Pick<CertificateConfig, 'license' | 'tokens'>[]): readonly Bought[] {
  return certificates.flatMap(({ license, tokens }) =>
    tokens === null ? [] : [{ license, tokens, by: 'as its certificate says' }],
  );
}

function registeredIn(registration: RegistrationObservation | null): readonly Bought[] {
  if (registration?.kind !== 'ok') return [];
  return registration.lookups.flatMap(({ license, outcome }) =>
    outcome.kind === 'registered' && outcome.bought !== undefined
      ? [{ license, tokens: outcome.bought, by: 'as it was sold' }]
      : [],
  );
}
