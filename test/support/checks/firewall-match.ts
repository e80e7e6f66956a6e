import type { FirewallFacts, FirewallPolicy, SslInspection } from '../../../src/core/firewall.ts';

export const FLOW = {
  firewall: 'FortiGate 10.0.0.1',
  firewallHost: '10.0.0.1',
  vdom: 'root',
  appliances: [],
  source: '10.0.0.5',
  destination: 'fortitokenmobile.fortinet.com:443',
} as const;

const POLICY: FirewallPolicy = {
  id: 5,
  name: 'fac-out',
  action: 'accept',
  proxyMode: false,
  securityProfiles: [],
  incoming: ['port2'],
  outgoing: ['wan1'],
  nat: { enabled: true, pools: [] },
  schedule: 'always',
};

export const NO_INSPECTION: Extract<SslInspection, { readonly kind: 'known' }> = {
  kind: 'known',
  profile: 'no-inspection',
  mode: 'none',
  exemptedBy: null,
  unreadExemptions: [],
};

/** Returns a firewall's answer that this policy matches the traffic. */
export function matched(
  policy: Partial<FirewallPolicy> = {},
  inspection: SslInspection = NO_INSPECTION,
  more: Partial<FirewallFacts> = {},
): FirewallFacts {
  return {
    ...FLOW,
    kind: 'ok',
    fqdnObjects: [],
    serial: null,
    match: { kind: 'policy', policy: { ...POLICY, ...policy }, inspection },
    ...more,
  };
}
