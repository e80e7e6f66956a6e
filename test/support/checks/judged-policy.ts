import { firewallPolicy } from '../../../src/checks/firewall-policy/judge.ts';
import type { FirewallObservation } from '../../../src/core/firewall.ts';
import type { Finding } from '../../../src/engine/model.ts';
import { configOf } from '../config/config-of.ts';
import { judgedBy } from './judged-by.ts';
import { picture } from './observed.ts';

const CONFIG = await configOf(
  'appliances: [{ name: fac-1 }]\n' + 'firewall: [{ url: "https://10.0.0.1", source: 10.0.0.5, tokenEnv: SET_SECRET }]',
);

/** Returns the findings about the policies that the firewalls reported. @param units names of all appliances */
export function judgePolicies(
  firewall: readonly FirewallObservation[],
  units: readonly string[] = [],
): readonly Finding[] {
  const appliances = units.flatMap((name) => CONFIG.appliances.map((unit) => ({ ...unit, name })));
  return judgedBy(firewallPolicy, { config: { ...CONFIG, appliances }, picture: picture({ firewall }) });
}
