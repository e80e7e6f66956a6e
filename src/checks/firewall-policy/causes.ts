import type { CauseWords } from '../../engine/words/cause-words.ts';

export const POLICY_CAUSES = {
  'policy-inspects-traffic': {
    severity: 'critical',
    title: 'the firewall policy inspects the traffic of FortiAuthenticator',
    headline: 'a firewall policy inspects the traffic',
    summary:
      'Policy {policy} of {firewall}, which matches the traffic from {source} to {host}, inspects it ({profile}).',
    impact: 'activation',
    sources: ['ta-p/194050', 'docs:fortigate/7.2.13/administration-guide'],
    remedy: [
      'On {firewall}, create a separate policy above policy {policy}: source {source} only, destination {host}, ' +
        'service HTTPS, no security profile, SSL inspection "no-inspection".',
      'Check it with Policy & Objects > Firewall Policy > Policy Lookup.',
    ],
  },
  'policy-missing': {
    severity: 'critical',
    title: 'no firewall policy allows the traffic of FortiAuthenticator',
    headline: 'no firewall policy allows the traffic',
    summary: 'No policy of {firewall} allows {source} to reach {host} on TCP {port}.',
    impact: 'activation',
    sources: ['ta-p/194050', 'docs:fortigate/7.2.13/administration-guide'],
    remedy: [
      'On {firewall}, create a policy that allows only {source} to {host} (or the internet) on HTTPS, with no ' +
        'security profile and SSL inspection "no-inspection".',
      'If a policy exists, check its source address, its interfaces and its order with Policy Lookup.',
    ],
  },
} satisfies Readonly<Record<string, CauseWords>>;

export type PolicyCause = keyof typeof POLICY_CAUSES;
