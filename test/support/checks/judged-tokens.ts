import { tokenPool } from '../../../src/checks/token-pool/judge.ts';
import type { UnitObservation } from '../../../src/connectors/picture.ts';
import type { ApplianceObservation } from '../../../src/core/license/appliance.ts';
import type { RegistrationObservation } from '../../../src/core/license/registration.ts';
import type { Finding } from '../../../src/engine/model.ts';
import { configOf } from '../config/config-of.ts';
import { picture } from './observed.ts';
import { withPlainClaims } from './plain-claim.ts';

const CONFIG = await configOf(
  'appliances: [{ name: fac-1, api: { url: "https://10.0.0.5", user: reader, keyEnv: SET_SECRET } }]',
);

/** Returns a unit with an API, and what was read from it. */
export function readUnit(rest: ApplianceObservation, more: Partial<UnitObservation['config']> = {}): UnitObservation {
  const [config] = CONFIG.appliances;
  if (config === undefined) throw new Error('Expected a unit');
  return { config: { ...config, ...more }, rest, role: null };
}

/** Returns the findings about the tokens of these units. */
export const judgeTokens = withPlainClaims(
  (appliances: readonly UnitObservation[], registration: RegistrationObservation | null = null): readonly Finding[] => {
    if (tokenPool.from !== 'units') throw new Error('Expected a check of the units');
    const facts = { config: CONFIG, picture: picture({ appliances, registration }), at: 0, speaking: [] };
    return tokenPool.judge(facts).findings;
  },
);
