import { expect, test } from 'vitest';
import type { FirewallFacts, FirewallObservation } from '../../../../src/core/firewall.ts';
import type { Finding } from '../../../../src/engine/model.ts';
import { configOf } from '../../../support/config/config-of.ts';
import { FLOW, matched, NO_INSPECTION } from '../../../support/checks/firewall-match.ts';
import { judgeLog } from '../../../support/checks/judged-log.ts';
import { picture } from '../../../support/checks/observed.ts';
import { pollingError } from '../../../support/checks/polling-error.ts';

const READ = { appliance: 'fac-1', source: '10.0.0.5', firewall: FLOW.firewall };
const DENIED = { ...FLOW, appliances: ['fac-1'], kind: 'denied', status: 403 } as const;
const answer = (appliance: string, more: Partial<FirewallFacts> = {}): FirewallFacts =>
  matched({}, NO_INSPECTION, { appliances: [appliance], ...more });

type Known = Pick<Finding, 'kind' | 'facts'>;

/** Returns what is known of the policy for fac-1, if its log has errors and a FortiGate is configured for this unit. */
async function known(configured: string | null, asked: readonly FirewallObservation[]): Promise<Known | undefined> {
  const entry = `{ url: "https://10.0.0.1", tokenEnv: SET_SECRET, source: 10.0.0.5, appliances: [${configured ?? ''}] }`;
  const config = await configOf(
    'logs: { syslog: { udp: "127.0.0.1:5514" } }\nappliances: [{ name: fac-1 }, { name: fac-2 }]\n' +
      (configured === null ? '' : `firewall: [${entry}]\n`),
  );
  const errors = [pollingError(1000, 'FTM polling error: SSL session failed')];
  const heard = { errorsWithinHour: 0, lastLineAt: 1000, reliableLineAt: null, silent: false, silentFor: null };
  const appliances = [{ name: 'fac-1', errors, ...heard }];
  const [finding] = judgeLog(
    { window: 1, silentAfter: 1, appliances, firewallEvidence: [] },
    { config, picture: picture({ firewall: asked }) },
  );
  if (finding === undefined) return undefined;
  const { meaning: _, ...facts } = finding.facts ?? {};
  return { ...(finding.kind === undefined ? {} : { kind: finding.kind }), facts };
}

test.each<readonly [string, configured: string | null, asked: readonly FirewallObservation[], Known]>([
  ['no FortiGate is asked for the unit', null, [], { facts: { appliance: 'fac-1' } }],
  ['only that of another unit is asked', 'fac-2', [answer('fac-2')], { facts: { appliance: 'fac-1' } }],
  [
    'it names a policy',
    'fac-1',
    [answer('fac-1')],
    { kind: 'policy-read', facts: { ...READ, policy: 'policy 5 "fac-out"' } },
  ],
  [
    'no policy matches',
    'fac-1',
    [answer('fac-1', { match: { kind: 'implicit-deny', incoming: null, outgoing: null } })],
    { kind: 'policy-read', facts: { ...READ, policy: 'the implicit deny' } },
  ],
  ['it was not asked yet', 'fac-1', [], { kind: 'policy-unread', facts: READ }],
  ['it may not tell', 'fac-1', [DENIED], { kind: 'policy-unread', facts: READ }],
])('what is known of the policy of a unit that complains: %s', async (_, configured, asked, expected) => {
  expect(await known(configured, asked)).toEqual(expected);
});
