import { expect, test } from 'vitest';
import { ownPolicy } from '../../../../src/checks/polling/judge.ts';
import type { FirewallObservation, PolicyMatch } from '../../../../src/core/license/firewall.ts';

type Policies = Parameters<typeof ownPolicy>[1];

const ENTRY = { url: 'https://10.0.0.1/', vdom: 'root', source: '10.0.0.5', appliances: ['fac-1'] };
const FLOW = {
  firewall: 'FortiGate 10.0.0.1',
  firewallHost: '10.0.0.1',
  vdom: 'root',
  appliances: ['fac-1'],
  source: '10.0.0.5',
  destination: 'server.test:443',
};
const POLICY: PolicyMatch = {
  kind: 'policy',
  policy: {
    id: 5,
    name: 'fac-out',
    action: 'accept',
    proxyMode: false,
    securityProfiles: [],
    incoming: [],
    outgoing: [],
    nat: { enabled: true, pools: [] },
    schedule: 'always',
  },
  inspection: { kind: 'known', profile: null, mode: 'none', exemptedBy: null, unreadExemptions: [] },
};

function answer(match: PolicyMatch): FirewallObservation {
  return { ...FLOW, kind: 'ok', match, fqdnObjects: [], serial: null };
}

const READ = {
  appliance: 'fac-1',
  source: '10.0.0.5',
  firewall: 'FortiGate 10.0.0.1',
};

test.each<readonly [string, Policies, ReturnType<typeof ownPolicy>]>([
  ['no FortiGate is asked for the unit', { configured: [], asked: [] }, { facts: { appliance: 'fac-1' } }],
  [
    'only that of another unit is asked',
    { configured: [{ ...ENTRY, appliances: ['fac-2'] }], asked: [{ ...answer(POLICY), appliances: ['fac-2'] }] },
    { facts: { appliance: 'fac-1' } },
  ],
  [
    'it names a policy',
    { configured: [ENTRY], asked: [answer(POLICY)] },
    { kind: 'policy-read', facts: { ...READ, policy: 'policy 5 "fac-out"' } },
  ],
  [
    'no policy matches',
    { configured: [ENTRY], asked: [answer({ kind: 'implicit-deny', incoming: null, outgoing: null })] },
    { kind: 'policy-read', facts: { ...READ, policy: 'the implicit deny' } },
  ],
  ['it was not asked yet', { configured: [ENTRY], asked: [] }, { kind: 'policy-unread', facts: READ }],
  [
    'it may not tell',
    { configured: [ENTRY], asked: [{ ...FLOW, kind: 'denied', status: 403 }] },
    { kind: 'policy-unread', facts: READ },
  ],
])('what is known of the policy of a unit that complains: %s', (_, policies, known) => {
  expect(ownPolicy('fac-1', policies)).toEqual(known);
});
