import { nameList } from '../../core/name-list.ts';
import { suggestsOnly } from '../../engine/explanation.ts';
import type { Declaration, Judgement } from '../declaration.ts';
import { judged, notConfigured, unjudged } from '../judgement.ts';
import type { UnitFacts } from '../unit-facts.ts';
import { POLICY_CAUSES, type PolicyCause } from './causes.ts';
import { judgeFirewallPolicy } from './judge.ts';
import { refineShutPort } from './refine-shut-port.ts';

export const firewallPolicy: Declaration<'firewall-policy', PolicyCause> = {
  id: 'firewall-policy',
  title: 'Firewall policy',
  dependsOn: [],
  explainedBy: [
    { by: 'tls-genuine', when: suggestsOnly('policy-inspects-traffic'), evidence: true },
    { by: 'reachability', when: suggestsOnly('policy-missing'), evidence: true },
  ],
  causes: POLICY_CAUSES,
  unknownRemedy:
    'Let the administrator of "firewall[].tokenFile" read the firewall policies, from the address of this machine ' +
    '(trusted hosts).',
  refines: refineShutPort,
  place: { kind: 'stop', stop: 'firewall' },
  step: 'tls',
  causeSteps: { 'policy-missing': 'connect' },
  from: 'units',
  sources: ['firewall'],
  judge: judgePolicy,
};

function judgePolicy({ config, picture: { firewall } }: UnitFacts): Judgement {
  if (config.firewall.length === 0) return notConfigured('The firewall is not configured');
  if (firewall.length === 0) return unjudged('Not asked yet');
  const units = config.appliances.map(({ name }) => name);
  const sources = [...new Set(firewall.map(({ source }) => source))];
  const holds =
    sources.length === 1
      ? `The policy that matches ${nameList(sources)} inspects nothing`
      : `The policies that match ${nameList(sources)} inspect nothing`;
  return judged(judgeFirewallPolicy(firewall, units), holds);
}
