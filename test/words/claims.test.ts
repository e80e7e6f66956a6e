import { test } from 'vitest';
import { tlsGenuine } from '../../src/checks/tls-genuine/judge.ts';
import type { FirewallAdmission, PollingReport } from '../../src/core/polling/report.ts';
import type { Finding } from '../../src/engine/model.ts';
import { factsOf, heard, shown } from '../support/checks/facts.ts';
import { finding } from '../support/checks/judged-round.ts';
import { pollingError } from '../support/checks/polling-error.ts';
import { after, report, T0 } from '../support/checks/polling-report.ts';
import { findingText } from './finding-text.ts';
import { expectRecorded } from './recorded.ts';
import { TARGET } from './claims/failures.ts';
import { REACHABILITY, LICENSE_SERVER, NAME_RESOLUTION } from './claims/path.ts';
import { MAIL } from './claims/mail.ts';
import { FIREWALL_POLICY, APPLIANCE, TOKEN_POOL, LICENSE_ASSIGNMENT, POLLING, CLOCK, AGENT } from './claims/units.ts';

const ADMISSION: FirewallAdmission = {
  signature: 'fortigate-ssl-inspection',
  firstAt: T0,
  lastAt: T0,
  count: 1,
  moments: [T0],
  reliable: true,
  ofUnit: true,
  evidence: {
    device: 'fgt-1',
    policy: '20',
    profile: 'deep',
    action: null,
    sourceAddress: '10.0.0.5',
    destinationAddress: null,
    hostName: TARGET,
  },
  sample: 'devname="fgt-1"',
};
const UNNAMED = { ...ADMISSION.evidence, device: null, policy: null, profile: null, sourceAddress: null };
const REFUSED = pollingError(T0, 'FTM polling error: SSL session failed', { cause: 'tls-interception-suspected' });

function tlsBeside(more: Partial<PollingReport>, tls: readonly Finding[] = []): readonly Finding[] {
  const log = heard({ ...report(after([]), T0), ...more });
  return tlsGenuine.judge(factsOf({ round: shown({ tls }), log })).findings.slice(tls.length);
}

const TLS_GENUINE = {
  'a firewall admits it': tlsBeside({ firewallEvidence: [ADMISSION] }),
  'a firewall admits it, in one datagram': tlsBeside({ firewallEvidence: [{ ...ADMISSION, reliable: false }] }),
  'a firewall admits it, of other traffic': tlsBeside({ firewallEvidence: [{ ...ADMISSION, ofUnit: false }] }),
  'a firewall admits it, without a name': tlsBeside({ firewallEvidence: [{ ...ADMISSION, evidence: UNNAMED }] }),
  'an unknown authority, and a complaint': tlsBeside(
    {
      appliances: [
        {
          name: 'fac-1',
          errors: [REFUSED],
          errorsWithinHour: 1,
          lastLineAt: T0,
          reliableLineAt: T0,
          silent: false,
          silentFor: null,
        },
      ],
    },
    [finding('vendor-ca-changed', { level: 'warning', confidence: 'suspected', facts: { judgement: 'It is new' } })],
  ),
};

const CASES = {
  reachability: REACHABILITY,
  'license-server': LICENSE_SERVER,
  'name-resolution': NAME_RESOLUTION,
  mail: MAIL,
  'firewall-policy': FIREWALL_POLICY,
  appliance: APPLIANCE,
  'token-pool': TOKEN_POOL,
  'license-assignment': LICENSE_ASSIGNMENT,
  polling: POLLING,
  'tls-genuine': TLS_GENUINE,
  clock: CLOCK,
  agent: AGENT,
} as const satisfies Readonly<Record<string, Readonly<Record<string, readonly Finding[]>>>>;

test('the claims of every check', async () => {
  const told = Object.entries(CASES).flatMap(([check, cases]) =>
    Object.entries(cases).map(
      ([name, findings]) => [`${check}: ${name}`, findings.map(findingText).join('\n')] as const,
    ),
  );
  await expectRecorded('claims', Object.fromEntries(told));
});
