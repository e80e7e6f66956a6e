import { type CauseWords, fortios, kindVariants, type KindWords } from '../../engine/model.ts';
import { ENTER_POLICY, MOVE_UP, preparePolicy, separatePolicy } from './separate-policy.ts';

const WITHOUT_INSPECTION =
  'source {source} only, destination {host}, TCP {port}, no security profile, SSL inspection "no-inspection".';

const CREATE = [
  preparePolicy(`Prepare a policy for FortiAuthenticator on {firewall}: ${WITHOUT_INSPECTION}`),
  separatePolicy(ENTER_POLICY),
];

const CHECK_ORDER = 'Check the result with Policy & Objects > Firewall Policy > Policy Lookup.';

/** Valid for FortiOS 6.2 and later (ta-p/192971). */
const INTERNET_SERVICE = fortios(
  'A policy can match by internet service instead of by address, which the policy does not show. Check to which ' +
    'internet services the server belongs.',
  'diagnose internet-service match root {serverip} 255.255.255.255',
);

const MISSING_KINDS = {
  denied: {
    name: 'a policy denies the connection',
    summary: 'On {firewall}, {policy} denies the connection from {source} to {host}, TCP {port}.',
    remedy: [...CREATE, MOVE_UP, CHECK_ORDER],
  },
  'fqdn-unresolved': {
    name: 'an address object does not resolve',
    summary:
      'No policy on {firewall} allows {source} to reach {host} on TCP {port}. The address object for {host} does ' +
      'not resolve, so a policy with that object matches nothing.',
    remedy: [
      fortios(
        "On {firewall}, check the object's addresses and the resolvers (Network > DNS). The second command is " +
          'for FortiOS before 7.0.',
        'diagnose firewall fqdn list-ip',
        'diagnose firewall fqdn list',
      ),
      'Configure the FortiGate to use the same resolvers as FortiAuthenticator. An FQDN object matches only ' +
        'addresses that the FortiGate itself has resolved.',
      'Until the object resolves, use an address object with the addresses of {host} as the destination of the ' +
        'policy.',
      CHECK_ORDER,
    ],
  },
} satisfies Readonly<Record<string, KindWords>>;

export type MissingKind = keyof typeof MISSING_KINDS;

export const POLICY_CAUSES = {
  'policy-inspects-traffic': {
    severity: 'critical',
    name: 'a firewall policy inspects the traffic',
    summary: 'On {firewall}, {policy} matches the traffic from {source} to {host} and inspects it ({profile}).',
    impact: 'activation',
    sources: ['ta-p/194050', 'ta-p/192971', 'docs:fortigate/7.2.13/administration-guide'],
    remedy: [
      preparePolicy(`Prepare a policy for FortiAuthenticator on {firewall}, above {policy}: ${WITHOUT_INSPECTION}`),
      separatePolicy(ENTER_POLICY),
      MOVE_UP,
      CHECK_ORDER,
      INTERNET_SERVICE,
    ],
    variants: [
      {
        when: { culprit: 'inspects' },
        name: '[{policy} inspects TLS|a policy inspects TLS]',
        summary: 'The traffic from {source} to {host} is inspected by {culprit}.',
      },
    ],
  },
  'policy-missing': {
    severity: 'critical',
    name: 'no policy allows the traffic',
    summary: 'No policy on {firewall} allows {source} to reach {host} on TCP {port}.',
    impact: 'activation',
    sources: ['ta-p/194050', 'ta-p/196844', 'ta-p/302745', 'ta-p/192971', 'docs:fortigate/7.2.13/administration-guide'],
    remedy: [
      ...CREATE,
      'If a policy exists, check its source address, interfaces and position with Policy Lookup.',
      INTERNET_SERVICE,
    ],
    variants: [
      ...kindVariants(MISSING_KINDS),
      {
        when: { culprit: 'denies' },
        name: '[{policy} blocks the path|a policy blocks the path]',
        summary: 'The traffic from {source} to {host}, TCP {port}, is blocked by {culprit}.',
      },
    ],
  },
} satisfies Readonly<Record<string, CauseWords>>;
