import { tokenPool } from '../../../src/checks/token-pool/judge.ts';
import type { UnitObservation } from '../../../src/connectors/picture.ts';
import type { ApplianceFacts, ApplianceObservation, TokenCounts } from '../../../src/core/license/appliance.ts';
import type { RegistrationObservation } from '../../../src/core/license/registration.ts';
import type { Finding } from '../../../src/engine/model.ts';
import { configOf } from '../config/config-of.ts';
import { judgedBy } from './judged-by.ts';
import { picture } from './observed.ts';

const CONFIG = await configOf(
  'appliances: [{ name: fac-1, api: { url: "https://10.0.0.5", user: reader, keyEnv: SET_SECRET } }]',
);

/** Returns a unit with an API, and what was read from it. */
export function readUnit(rest: ApplianceObservation, more: Partial<UnitObservation['config']> = {}): UnitObservation {
  const [config] = CONFIG.appliances;
  if (config === undefined) throw new Error('Expected a unit');
  return { config: { ...config, ...more }, rest, role: null };
}

/** Returns the tokens of one licence, as read from a unit. */
export function tokens(left: number, assigned: number, more: Partial<TokenCounts> = {}): ApplianceFacts['tokens'] {
  return {
    kind: 'read',
    value: {
      total: left + assigned,
      byStatus: { new: 0, available: left, pending: 0, assigned, other: 0 },
      byLicense: [{ license: 'EFTM000000000001', tokens: left + assigned }],
      locked: { new: 0, available: 0, pending: 0, assigned: 0, other: 0 },
      withoutLicense: 0,
      ...more,
    },
  };
}

/** Returns the findings about the tokens of these units. */
export function judgeTokens(
  appliances: readonly UnitObservation[],
  registration: RegistrationObservation | null = null,
): readonly Finding[] {
  return judgedBy(tokenPool, { config: CONFIG, picture: picture({ appliances, registration }) });
}
