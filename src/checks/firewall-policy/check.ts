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
    'Let the administrator of "firewall.tokenFile" read the firewall policies, from the address of this machine ' +
    '(trusted hosts).',
  refines: refineShutPort,
  place: { kind: 'stop', stop: 'firewall' },
  from: 'units',
  sources: ['firewall'],
  judge: judgePolicy,
};

function judgePolicy({ config, picture: { firewall } }: UnitFacts): Judgement {
  if (config.firewall === null) return notConfigured('The firewall is not configured');
  if (firewall === null) return unjudged('Not asked yet');
  return judged(judgeFirewallPolicy(firewall), `The policy that matches ${config.firewall.source} inspects nothing`);
}
