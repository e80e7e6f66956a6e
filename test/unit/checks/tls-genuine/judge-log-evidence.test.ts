import { expect, test } from 'vitest';
import { adjusted } from '../../../../src/checks/assess.ts';
import type { Assessment, Finding } from '../../../../src/engine/model.ts';
import { diagnose } from '../../../../src/engine/diagnose.ts';
import { everything } from '../../../support/checks/everything.ts';
import { CONTEXT, round } from '../../../support/checks/judged-round.ts';
import { ONE_UNPROVEN } from '../../../../src/core/polling/state.ts';
import type { FirewallAdmission, PollingReport } from '../../../../src/core/polling/report.ts';
import { tlsGenuine } from '../../../../src/checks/tls-genuine/judge.ts';
import { withPlainClaims } from '../../../support/checks/plain-claim.ts';

const AT = Date.UTC(2026, 10, 24, 12);
const LINE: FirewallAdmission = {
  signature: 'fortigate-ssl-inspection',
  firstAt: AT,
  lastAt: AT,
  count: 1,
  moments: [AT, AT],
  reliable: false,
  ofUnit: true,
  evidence: {
    device: 'fgt-1',
    policy: '20',
    profile: null,
    action: null,
    sourceAddress: '10.0.0.5',
    destinationAddress: null,
    hostName: 'license.example.test',
  },
  sample: 'devname="fgt-1"',
};

const judge = withPlainClaims((...firewallEvidence: readonly FirewallAdmission[]): readonly Finding[] => {
  const report: PollingReport = { window: 900_000, silentAfter: 86_400_000, appliances: [], firewallEvidence };
  const own = { id: 'tls-genuine', kind: 'judged', findings: [], summary: '' } as const;
  const known = { licenseServer: { host: 'license.example.test', port: 443 }, log: { report, complainedOf: [] } };
  return tlsGenuine.adjust?.(own, everything(known)).findings ?? [];
});

function levels(...firewallEvidence: readonly FirewallAdmission[]): readonly string[] {
  return judge(...firewallEvidence).map(({ level, confidence = 'confirmed' }) => `${level} ${confidence}`);
}

test.each<[string, readonly FirewallAdmission[], string]>([
  ['a single datagram', [LINE], 'warning suspected'],

  ['some datagrams at once', [{ ...LINE, count: 9, moments: [AT, AT + 29_999] }], 'warning suspected'],
  ['datagrams at two moments', [{ ...LINE, count: 2, moments: [AT, AT + 30_000] }], 'broken confirmed'],
  ['one line over a connection', [{ ...LINE, reliable: true }], 'broken confirmed'],
  ['lines about other traffic', [{ ...LINE, moments: [AT, AT + 60_000], ofUnit: false }], 'warning suspected'],
])('a firewall admits its inspection in %s', (_, lines, expected) => {
  expect(levels(...lines)).toEqual([expected]);
});

test.each<[Assessment['kind'], readonly FirewallAdmission[], string]>([
  ['unjudged', [LINE], 'unknown'],
  ['unjudged', [{ ...LINE, reliable: true }], 'not-ready'],
  ['unjudged', [], 'unknown'],
  ['judged', [LINE], 'ready'],
])('TLS that is %s is judged by no single datagram', (kind, firewallEvidence, ready) => {
  const report: PollingReport = { window: 900_000, silentAfter: 86_400_000, appliances: [], firewallEvidence };
  const diagnosis = diagnose(
    adjusted(round(['tls-genuine', [], kind]), everything({ log: { report, complainedOf: [] } })),
    CONTEXT,
  );
  expect(diagnosis.ready).toBe(ready);
  expect(diagnosis.causes.map(({ id }) => id)).toEqual(firewallEvidence.map(() => 'tls-intercepted'));
});

test('a reliable line does not vouch for a datagram', () => {
  expect(levels({ ...LINE, reliable: true }, LINE)).toEqual(['broken confirmed', 'warning suspected']);
});

test('a line is told with the device, the policy and the source that it names', () => {
  expect(judge({ ...LINE, reliable: true })).toEqual([
    {
      rule: 'firewall-log-shows-no-inspection',
      subject: 'license.example.test:443',
      claim: 'fgt-1, policy 20, source 10.0.0.5, logged that it inspects this traffic.',
      witness: 'firewall',
      quote: 'devname="fgt-1"',
      at: AT,
      expected: 'no firewall log line about inspection of this traffic',
      level: 'broken',
      suggests: 'tls-intercepted',
      facts: { product: 'Fortinet FortiGate', policy: 'policy 20', source: '10.0.0.5' },
    },
  ]);
});

test('a line that names a profile alone is told with that, and that it is a single datagram', () => {
  const evidence = { ...LINE.evidence, device: null, policy: null, profile: 'deep', sourceAddress: null };
  const [finding] = judge({ ...LINE, evidence });
  expect(finding?.claim).toBe(`A FortiGate, profile "deep", logged that it inspects this traffic${ONE_UNPROVEN}.`);
  expect(finding?.facts).toEqual({ product: 'Fortinet FortiGate', profile: 'deep' });
});
