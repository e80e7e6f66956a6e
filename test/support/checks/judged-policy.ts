import { firewallPolicy } from '../../../src/checks/firewall-policy/judge.ts';
import type { FirewallObservation } from '../../../src/core/license/firewall.ts';
import type { Finding } from '../../../src/engine/model.ts';
import { configOf } from '../config/config-of.ts';
import { picture } from './observed.ts';
import { withPlainClaims } from './plain-claim.ts';

const CONFIG = await configOf(
  'appliances: [{ name: fac-1 }]\n' + 'firewall: [{ url: "https://10.0.0.1", source: 10.0.0.5, tokenEnv: SET_SECRET }]',
);

/** Returns the findings about the policies that the firewalls reported. @param units names of all appliances */
export const judgePolicies = withPlainClaims(
  (firewall: readonly FirewallObservation[], units: readonly string[] = []): readonly Finding[] => {
    if (firewallPolicy.from !== 'units') throw new Error('Expected a check of the units');
    const appliances = units.flatMap((name) => CONFIG.appliances.map((unit) => ({ ...unit, name })));
    const config = { ...CONFIG, appliances };
    return firewallPolicy.judge({ config, picture: picture({ firewall }), at: 0, speaking: [] }).findings;
  },
);
