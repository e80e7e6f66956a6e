import { expect, test } from 'vitest';
import type { FirewallObservation, PolicyMatch } from '../../../../src/core/license/firewall.ts';
import type { Finding } from '../../../../src/engine/model.ts';
import { configOf } from '../../../support/config/config-of.ts';
import { judgeLog } from '../../../support/checks/judged-log.ts';
import { pollingError } from '../../../support/checks/polling-error.ts';

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

type Known = Pick<Finding, 'kind' | 'facts'>;

/** Returns what is known of the policy for fac-1, if its log has errors and a FortiGate is configured for this unit. */
async function known(configured: string | null, asked: readonly FirewallObservation[]): Promise<Known | undefined> {
  const entry = `{ url: "https://10.0.0.1", tokenEnv: SET_SECRET, source: 10.0.0.5, appliances: [${configured ?? ''}] }`;
  const config = await configOf(
    'logs: { syslog: { udp: "127.0.0.1:5514" } }\nappliances: [{ name: fac-1 }, { name: fac-2 }]\n' +
      (configured === null ? '' : `firewall: [${entry}]\n`),
  );
  const errors = [pollingError(1000, 'FTM polling error: SSL session failed')];
  const appliance = { name: 'fac-1', errors, lastLineAt: 1000, reliableLineAt: null, silent: false, silentFor: null };
  const report = { window: 1, silentAfter: 1, appliances: [appliance], firewallEvidence: [] };
  const [finding] = judgeLog(report, { config, firewall: asked });
  if (finding === undefined) return undefined;
  const { meaning: _, ...facts } = finding.facts ?? {};
  return { ...(finding.kind === undefined ? {} : { kind: finding.kind }), facts };
}

test.each<readonly [string, configured: string | null, asked: readonly FirewallObservation[], Known]>([
  ['no FortiGate is asked for the unit', null, [], { facts: { appliance: 'fac-1' } }],
  [
    'only that of another unit is asked',
    'fac-2',
    [{ ...answer(POLICY), appliances: ['fac-2'] }],
    { facts: { appliance: 'fac-1' } },
  ],
  [
    'it names a policy',
    'fac-1',
    [answer(POLICY)],
    { kind: 'policy-read', facts: { ...READ, policy: 'policy 5 "fac-out"' } },
  ],
  [
    'no policy matches',
    'fac-1',
    [answer({ kind: 'implicit-deny', incoming: null, outgoing: null })],
    { kind: 'policy-read', facts: { ...READ, policy: 'the implicit deny' } },
  ],
  ['it was not asked yet', 'fac-1', [], { kind: 'policy-unread', facts: READ }],
  ['it may not tell', 'fac-1', [{ ...FLOW, kind: 'denied', status: 403 }], { kind: 'policy-unread', facts: READ }],
])('what is known of the policy of a unit that complains: %s', async (_, configured, asked, expected) => {
  expect(await known(configured, asked)).toEqual(expected);
});
