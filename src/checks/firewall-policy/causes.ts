import type { CauseWords } from '../../engine/words/cause-words.ts';
import { fortios } from '../../engine/words/step.ts';
import { MOVE_UP, NAMES_ARE_FREE, separatePolicy } from './separate-policy.ts';

const ALLOWING = separatePolicy(
  'On {firewall}, create a policy that allows only {source} to {host}, TCP {port}, with no security profile and ' +
    'SSL inspection "no-inspection".',
);

export const POLICY_CAUSES = {
  'policy-inspects-traffic': {
    severity: 'critical',
    title: 'the firewall policy inspects the traffic of FortiAuthenticator',
    short: 'firewall policy inspects traffic',
    headline: 'a firewall policy inspects the traffic',
    summary:
      'Policy {policy} of {firewall}, which matches the traffic from {source} to {host}, inspects it ({profile}).',
    impact: 'activation',
    sources: ['ta-p/194050', 'docs:fortigate/7.2.13/administration-guide'],
    remedy: [
      NAMES_ARE_FREE,
      separatePolicy(
        'On {firewall}, create a separate policy above policy {policy}: source {source} only, destination {host}, ' +
          'TCP {port}, no security profile, SSL inspection "no-inspection".',
      ),
      MOVE_UP,
      'Check it with Policy & Objects > Firewall Policy > Policy Lookup.',
    ],
  },
  'policy-missing': {
    severity: 'critical',
    title: 'no firewall policy allows the traffic of FortiAuthenticator',
    short: 'no firewall policy allows it',
    headline: 'no firewall policy allows the traffic',
    summary: 'No policy of {firewall} allows {source} to reach {host} on TCP {port}.',
    impact: 'activation',
    sources: ['ta-p/194050', 'ta-p/196844', 'ta-p/302745', 'docs:fortigate/7.2.13/administration-guide'],
    remedy: [
      NAMES_ARE_FREE,
      ALLOWING,
      'If a policy exists, check its source address, its interfaces and its order with Policy Lookup.',
    ],
    kinds: {
      denied: {
        title: 'a policy denies it',
        summary: 'Policy {policy} of {firewall} denies {source} the way to {host}, TCP {port}.',
        remedy: [
          NAMES_ARE_FREE,
          ALLOWING,
          MOVE_UP,
          'Check it with Policy & Objects > Firewall Policy > Policy Lookup.',
        ],
      },
      'fqdn-unresolved': {
        title: 'its address object for the server resolves to nothing',
        summary:
          'No policy of {firewall} allows {source} to reach {host} on TCP {port}, and its address object for {host} ' +
          'resolves to no address: a policy with that object matches nothing.',
        remedy: [
          fortios(
            'On {firewall}, see what it resolves, and its own resolvers under Network > DNS. The second command is for ' +
              'FortiOS before 7.0.',
            'diagnose firewall fqdn list-ip',
            'diagnose firewall fqdn list',
          ),
          'Let it use the resolvers that FortiAuthenticator uses: an FQDN object matches only the addresses that the ' +
            'FortiGate itself has resolved.',
          'Until it resolves, use an address object with the addresses of {host} as destination of the policy.',
          'Check it with Policy & Objects > Firewall Policy > Policy Lookup.',
        ],
      },
    },
  },
} satisfies Readonly<Record<string, CauseWords>>;

export type PolicyCause = keyof typeof POLICY_CAUSES;
