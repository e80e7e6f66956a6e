import { describe, expect, test } from 'vitest';
import { complainsOfConnections, seemsUnaffected, tlsGenuine } from '../../../../src/checks/tls-genuine/judge.ts';
import type { Facts } from '../../../../src/checks/check.ts';
import type { FirewallObservation, SslInspection } from '../../../../src/core/firewall.ts';
import type { FirewallAdmission, PollingError, PollingReport } from '../../../../src/core/polling/report.ts';
import { diagnose } from '../../../../src/engine/diagnose.ts';
import type { Assessment, Finding } from '../../../../src/engine/model.ts';
import { factsOf, heard, shown } from '../../../support/checks/facts.ts';
import { FLOW, matched } from '../../../support/checks/firewall-match.ts';
import { CONTEXT, finding, judgedRound, TARGET } from '../../../support/checks/judged-round.ts';
import { picture } from '../../../support/checks/observed.ts';
import { pollingError } from '../../../support/checks/polling-error.ts';

const AT = Date.UTC(2026, 10, 25, 12, 3);
const OTHERS = judgedRound().filter(({ id }) => id !== 'tls-genuine');
const SAMPLE = 'FTM polling error: SSL session failed';
/** Two datagrams, a minute apart. */
const REFUSED = pollingError(AT, SAMPLE, { cause: 'tls-interception-suspected' });
const ONE_DATAGRAM: PollingError = { ...REFUSED, moments: [AT] };
const ONE_LINE: PollingError = { ...ONE_DATAGRAM, reliable: true };
const OF_LICENSE: PollingError = { ...REFUSED, cause: 'license-not-registered' };

function report(...errors: readonly PollingError[]): PollingReport {
  const spoke = { lastLineAt: AT, reliableLineAt: AT, silent: false, silentFor: null };
  const fac1 = { name: 'fac-1', errors, errorsWithinHour: 0, ...spoke };
  return { window: 900_000, silentAfter: 86_400_000, appliances: [fac1], firewallEvidence: [] };
}

const UNHEARD: PollingReport = { ...report(), appliances: [] };
const beside = (one: PollingReport, other: PollingReport): PollingReport => ({
  ...one,
  appliances: [...one.appliances, ...other.appliances],
});

/** Returns the check's findings, if this machine has found these. */
function judged(tls: readonly Finding[], known: Partial<Facts>): readonly Finding[] {
  return tlsGenuine.judge(factsOf({ ...known, round: shown({ tls }) })).findings;
}

const weighed = (findings: readonly Finding[], log: PollingReport): readonly Finding[] =>
  judged(findings, { log: heard(log) });

describe('a certificate that is not proven', () => {
  const OPEN = finding('vendor-ca-changed', {
    level: 'warning',
    confidence: 'suspected',
    facts: { judgement: 'It is new' },
  });
  const added = (log: PollingReport, findings: readonly Finding[]): readonly Finding[] =>
    weighed(findings, log).slice(findings.length);

  test.each(['vendor-ca-changed', 'certificate-broken'] as const)(
    'is raised to a suspicion by a complaint, and nothing is confirmed: %s',
    (suggests) => {
      expect(added(report(REFUSED), [finding(null), { ...OPEN, suggests }])).toMatchObject([
        {
          subject: TARGET,
          level: 'broken',
          suggests: 'tls-interception-suspected',
          confidence: 'suspected',
          rule: 'appliance-takes-the-certificate',
          facts: { judgement: 'It is new', appliance: 'fac-1' },
        },
      ]);
    },
  );

  test.each<readonly [string, number, readonly PollingError[]]>([
    ['two moments of one datagram each', 1, [ONE_DATAGRAM, { ...ONE_DATAGRAM, moments: [AT - 30_000] }]],
    ['one line over a connection', 1, [ONE_LINE]],
    ['an inspection that is told', 1, [{ ...REFUSED, cause: 'tls-intercepted' }]],
    ['one that is called broken', 1, [{ ...REFUSED, cause: 'certificate-broken' }]],
    ['a single datagram', 0, [ONE_DATAGRAM]],
    ['some at once', 0, [{ ...REFUSED, moments: [AT - 29_999, AT] }]],
    ['a single datagram, and another trouble meanwhile', 0, [ONE_DATAGRAM, OF_LICENSE]],
    ['another error', 0, [{ ...REFUSED, cause: 'egress-blocked' }]],
    ['an error without a cause', 0, [{ ...REFUSED, cause: null }]],
    ['an error that says no more', 0, [{ ...REFUSED, cause: 'polling-failing' }]],
    ['an error that is no more than a warning', 0, [{ ...REFUSED, severity: 'warning' }]],
    ['a clean log', 0, []],
  ])('is raised, or not, by %s: %i', (_, count, errors) => {
    expect(added(report(...errors), [OPEN])).toHaveLength(count);
  });

  test.each<readonly [string, readonly Finding[]]>([
    ['a genuine certificate', []],
    ['what is confirmed', [{ ...OPEN, confidence: 'confirmed' }]],
    ['what is broken anyway', [{ ...OPEN, level: 'broken' }]],
    ['another cause', [{ ...OPEN, suggests: 'tls-blocked' }]],
    ['a service', [{ ...OPEN, subject: 'push.fortinet.com:443' }]],
  ])('is not %s', (_, findings) => {
    expect(added(report(REFUSED), findings)).toEqual([]);
  });
});

describe('a flaw', () => {
  const flaw = (level: Finding['level'], rule = 'chain-has-no-flaw'): Finding =>
    finding('certificate-broken', { level, rule });
  const byDatagrams = { ...report(), appliances: report().appliances.map((one) => ({ ...one, reliableLineAt: null })) };
  const proven: Partial<Finding> = {};
  const unproven: Partial<Finding> = { unproven: true };

  test.each<readonly [string, PollingReport, from: Finding['level'], to: Finding['level'], Partial<Finding>]>([
    ['known for long, with a complaint', report(ONE_LINE), 'warning', 'broken', proven],
    ['known for long, with one that anybody can have written', report(REFUSED), 'warning', 'broken', unproven],
    [
      'known for long, with one that says no more',
      report({ ...ONE_LINE, cause: 'polling-failing' }),
      'warning',
      'broken',
      proven,
    ],
    ['known for long, with a single datagram', report(ONE_DATAGRAM), 'warning', 'warning', proven],
    ['known for long, with a complaint of something else', report(OF_LICENSE), 'warning', 'warning', proven],
    ['new, while FortiAuthenticator is content', report(), 'broken', 'warning', proven],
    ['new, with a single datagram', report(ONE_DATAGRAM), 'broken', 'warning', proven],
    ['new, with any other complaint', report({ ...OF_LICENSE, reliable: true }), 'broken', 'broken', proven],
    ['new, with another one that anybody can have written', report(OF_LICENSE), 'broken', 'broken', unproven],
    ['new, while only datagrams say nothing else', byDatagrams, 'broken', 'broken', proven],
    ['new, without a log', UNHEARD, 'broken', 'broken', proven],
  ])('%s', (_, log, from, to, more) => {
    expect(weighed([flaw(from)], log)).toEqual([{ ...flaw(from), level: to, ...more }]);
  });

  test('of TLS 1.2 alone is weighed in the same way, and another fault is not', () => {
    const levels = ['older-tls-is-not-inspected', 'certificate-is-in-date'].map(
      (rule) => weighed([flaw('warning', rule)], report(REFUSED))[0]?.level,
    );
    expect(levels).toEqual(['broken', 'warning']);
  });
});

const complaining = report(ONE_DATAGRAM);
const silent = { ...complaining, appliances: complaining.appliances.map((one) => ({ ...one, silent: true })) };

test.each<readonly [string, PollingReport, unaffected: boolean]>([
  ['writes without a complaint', report(), true],
  ['complains', report(ONE_DATAGRAM), false],
  ['writes without one, while another complains', beside(report(), report(ONE_DATAGRAM)), false],
  ['writes without one, while another is silent', beside(report(), silent), true],
  ['was never heard', UNHEARD, false],
])('an appliance seems unaffected if it %s: $2', (_, log, unaffected) => {
  expect(seemsUnaffected(log)).toBe(unaffected);
});

test.each<readonly [string, PollingReport, complains: boolean]>([
  ['refuses a certificate, by one datagram', report(ONE_DATAGRAM), true],
  ['says no more than that polling fails', report({ ...ONE_DATAGRAM, cause: 'polling-failing' }), true],
  ['refuses one, beside another that is content', beside(report(), report(REFUSED)), true],
  ['reports a timeout', report({ ...ONE_DATAGRAM, cause: 'egress-blocked' }), true],
  ['complains of a licence', report(OF_LICENSE), false],
  ['is content', report(), false],
  ['was never heard', UNHEARD, false],
])('an appliance makes a closer look worth it if it %s: $2', (_, log, complains) => {
  expect(complainsOfConnections(log)).toBe(complains);
});

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
    profile: 'deep',
    action: null,
    sourceAddress: '10.0.0.5',
    destinationAddress: null,
    hostName: CONTEXT.host,
  },
  sample: 'devname="fgt-1"',
};
const RELIABLE: FirewallAdmission = { ...LINE, reliable: true };

describe('a firewall that admits its inspection', () => {
  test.each<readonly [string, readonly FirewallAdmission[], readonly string[]]>([
    ['in a single datagram', [LINE], ['warning suspected']],
    ['in datagrams at once', [{ ...LINE, count: 9, moments: [AT, AT + 29_999] }], ['warning suspected']],
    ['in datagrams at two moments', [{ ...LINE, count: 2, moments: [AT, AT + 30_000] }], ['broken confirmed']],
    ['in one line over a connection', [RELIABLE], ['broken confirmed']],
    ['about other traffic', [{ ...LINE, moments: [AT, AT + 60_000], ofUnit: false }], ['warning suspected']],
    ['in a line that vouches for no datagram', [RELIABLE, LINE], ['broken confirmed', 'warning suspected']],
  ])('%s', (_, firewallEvidence, expected) => {
    const told = weighed([], { ...UNHEARD, firewallEvidence });
    expect(told.map(({ level, confidence = 'confirmed' }) => `${level} ${confidence}`)).toEqual(expected);
  });

  test('is told with the policy, profile and source that it names, if it names them', () => {
    const product = 'Fortinet FortiGate';
    const facts = { product, policy: 'policy 20', profile: 'deep', source: '10.0.0.5' };
    const nothing = { ...LINE.evidence, device: null, policy: null, profile: null, sourceAddress: null };
    const firewallEvidence = [RELIABLE, { ...RELIABLE, evidence: nothing }];
    const told = { rule: 'firewall-log-shows-no-inspection', subject: TARGET, quote: LINE.sample, at: AT };
    expect(weighed([], { ...UNHEARD, firewallEvidence })).toMatchObject([
      { ...told, suggests: 'tls-intercepted', witness: 'firewall', facts },
      { ...told, facts: { product } },
    ]);
  });

  test.each<readonly [Assessment['kind'], readonly FirewallAdmission[], string]>([
    ['unjudged', [LINE], 'unknown'],
    ['unjudged', [RELIABLE], 'not-ready'],
    ['unjudged', [], 'unknown'],
    ['judged', [LINE], 'ready'],
  ])('TLS that is %s is judged by no single datagram', (kind, firewallEvidence, ready) => {
    const log = heard({ ...UNHEARD, firewallEvidence });
    const own = tlsGenuine.judge(factsOf({ log, round: shown({ tls: kind === 'unjudged' ? null : [] }) }));
    const diagnosis = diagnose([...OTHERS, { id: 'tls-genuine', ...own }], CONTEXT);
    expect(diagnosis.ready).toBe(ready);
    expect(diagnosis.causes.map(({ id }) => id)).toEqual(firewallEvidence.map(() => 'tls-intercepted'));
  });
});

describe('an interception by a FortiGate', () => {
  const OTHER = 'FGVMEV0000000001';
  const CLEAN: SslInspection = { kind: 'known', profile: null, mode: 'none', exemptedBy: null, unreadExemptions: [] };
  const INTERCEPTED = finding('tls-intercepted', { facts: { product: 'Fortinet FortiGate', issuer: OTHER } });
  const asked = (inspection: SslInspection = CLEAN, flow: object = {}): FirewallObservation =>
    matched({ name: 'fac' }, inspection, { serial: 'FG100FTK20099999', ...flow });
  const itself = asked(CLEAN, { serial: OTHER });
  const told = (firewall: readonly FirewallObservation[], seen = INTERCEPTED): readonly Finding[] =>
    judged([seen], { picture: picture({ firewall }) });

  test.each<readonly [string, readonly FirewallObservation[], string]>([
    ['one that leaves the traffic alone', [asked()], 'FortiGate 10.0.0.1'],
    ['one that exempts the server', [asked({ ...CLEAN, mode: 'deep', exemptedBy: 'fortinet' })], 'FortiGate 10.0.0.1'],
    ['one that does not say its serial number', [asked(CLEAN, { serial: null })], 'FortiGate 10.0.0.1'],
    [
      'two that leave it alone',
      [asked(), asked(CLEAN, { firewall: 'FortiGate 10.1.0.1' })],
      'FortiGate 10.0.0.1, FortiGate 10.1.0.1',
    ],
  ])('is behind %s', (_, observations, name) => {
    const facts = { ...INTERCEPTED.facts, firewall: name, policy: 'policy 5 "fac"', source: '10.0.0.5' };
    for (const suggests of ['tls-intercepted', 'tls-interception-suspected'] as const)
      expect(told(observations, { ...INTERCEPTED, suggests })).toEqual([
        { ...INTERCEPTED, suggests, kind: 'behind-firewall', facts },
      ]);
  });

  test.each<readonly [string, readonly FirewallObservation[]]>([
    ['none was asked', []],
    ['it is the issuer', [itself]],
    ['one of two is the issuer', [asked(), itself]],
    ['it inspects certificates', [asked({ ...CLEAN, mode: 'certificate' })]],
    ['it inspects everything', [asked({ ...CLEAN, mode: 'deep' })]],
    ['its profile cannot be read', [asked({ kind: 'unreadable', profile: 'x', message: 'HTTP 403' })]],
    ['it denies the traffic', [matched({ action: 'deny' }, CLEAN)]],
    ['one of two was not readable', [asked(), { ...FLOW, kind: 'denied', status: 403 }]],
    ['it has no policy', [asked(CLEAN, { match: { kind: 'implicit-deny', incoming: null, outgoing: null } })]],
  ])('may be by the one that was asked: %s', (_, observations) => {
    expect(told(observations)).toEqual([INTERCEPTED]);
  });

  test.each<readonly [string, Finding]>([
    ['another product', finding('tls-intercepted', { facts: { product: 'Zscaler', issuer: 'Zscaler Root CA' } })],
    ['a name that is no serial number', finding('tls-intercepted', { facts: { issuer: 'FortiGate CA' } })],
    ['no issuer', finding('tls-intercepted')],
    ['another cause', finding('certificate-broken', { facts: { issuer: OTHER } })],
    ['a note', finding(null, { level: 'note', facts: { issuer: OTHER } })],
  ])('is told as it was: %s', (_, seen) => {
    expect(told([asked()], seen)).toEqual([seen]);
  });
});
