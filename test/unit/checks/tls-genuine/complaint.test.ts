import { describe, expect, test } from 'vitest';
import { textOfStep } from '../../../support/checks/text-of-step.ts';
import type { Finding } from '../../../../src/engine/model.ts';
import { complainsOfConnections, seemsUnaffected, tlsGenuine } from '../../../../src/checks/tls-genuine/judge.ts';
import type { PollingError, PollingReport } from '../../../../src/core/polling/report.ts';
import { everything } from '../../../support/checks/everything.ts';
import { finding, TARGET } from '../../../support/checks/judged-round.ts';

const LAST = Date.parse('2026-11-25T12:03:00Z');
const REFUSED: PollingError = {
  signature: 'ftm-polling-ssl',
  cause: 'tls-interception-suspected',
  severity: 'critical',
  summary: 'x',
  remedy: [],
  count: 2,
  groups: [],
  firstAt: LAST - 180_000,
  lastAt: LAST,
  moments: [LAST - 180_000, LAST],
  reliable: false,
  sample: 'FTM polling error: SSL session failed',
};
const ONE_DATAGRAM: PollingError = { ...REFUSED, moments: [LAST] };
const ONE_LINE: PollingError = { ...ONE_DATAGRAM, reliable: true };
const SOON: PollingError = { ...REFUSED, moments: [LAST - 29_999, LAST] };
const OF_LICENSE: PollingError = { ...REFUSED, cause: 'license-not-registered' };

function report(...errors: readonly PollingError[]): PollingReport {
  return {
    window: 900_000,
    silentAfter: 86_400_000,
    appliances: [{ name: 'fac-1', errors, lastLineAt: LAST, reliableLineAt: LAST, silent: false, silentFor: null }],
    firewallEvidence: [],
  };
}

const UNHEARD: PollingReport = { ...report(), appliances: [] };

const OPEN = finding('vendor-ca-changed', {
  level: 'warning',
  confidence: 'suspected',
  facts: { judgement: 'It is new' },
});

/** Returns the check's findings after FortiAuthenticator's log is taken into account. */
function adjusted(findings: readonly Finding[], log: PollingReport): readonly Finding[] {
  const own = { id: 'tls-genuine', kind: 'judged', findings, summary: '' } as const;
  return tlsGenuine.adjust?.(own, everything({ log: { report: log, complainedOf: [] } })).findings ?? [];
}

function added(errors: PollingReport, findings: readonly Finding[]): readonly Finding[] {
  return adjusted(findings, errors).slice(findings.length);
}

describe('a certificate that is not proven', () => {
  test.each([OPEN, { ...OPEN, suggests: 'certificate-broken' as const }])(
    'is raised to a suspicion by a complaint, and nothing is confirmed',
    (open) => {
      const [raised, ...more] = added(report(REFUSED), [finding(null), open]);
      expect(more).toEqual([]);
      expect(raised).toMatchObject({
        subject: TARGET,
        level: 'broken',
        suggests: 'tls-interception-suspected',
        confidence: 'suspected',
        rule: 'appliance-takes-the-certificate',
        expected: 'No TLS errors in the log of fac-1',
        facts: { judgement: 'It is new', appliance: 'fac-1' },
      });
      expect(raised?.advice?.summary).toBe('{judgement}, and {appliance} reports TLS errors.');
      expect(raised?.advice?.remedy.map((step) => textOfStep(step).slice(0, 60))).toEqual([
        'Check the issuer from another network. If it is the same the',
        'If the certificate is different there, a device on the path ',
        'Check again from the same network, then retry the activation',
      ]);
    },
  );

  test.each([
    { name: 'two moments of one datagram each', errors: [ONE_DATAGRAM, { ...ONE_DATAGRAM, moments: [LAST - 30_000] }] },
    { name: 'one line over a connection', errors: [ONE_LINE] },
    { name: 'an inspection that is told', errors: [{ ...REFUSED, cause: 'tls-intercepted' as const }] },
    { name: 'a certificate that is called broken', errors: [{ ...REFUSED, cause: 'certificate-broken' as const }] },
  ])('is raised by $name', ({ errors }) => {
    expect(added(report(...errors), [OPEN])).toHaveLength(1);
  });

  test.each([
    { name: 'a single datagram', errors: [ONE_DATAGRAM] },
    { name: 'some at once', errors: [SOON] },
    { name: 'a single datagram, and another trouble meanwhile', errors: [ONE_DATAGRAM, OF_LICENSE] },
    { name: 'another error', errors: [{ ...REFUSED, cause: 'egress-blocked' as const }] },
    { name: 'an error without a cause', errors: [{ ...REFUSED, cause: null }] },
    { name: 'an error that says no more', errors: [{ ...REFUSED, cause: 'polling-failing' as const }] },
    { name: 'an error that is no more than a warning', errors: [{ ...REFUSED, severity: 'warning' as const }] },
    { name: 'a clean log', errors: [] },
  ])('is not raised by $name', ({ errors }) => {
    expect(added(report(...errors), [OPEN])).toEqual([]);
  });

  test.each([
    { name: 'a certificate that is genuine', findings: [] },
    { name: 'what is confirmed', findings: [{ ...OPEN, confidence: 'confirmed' as const }] },
    { name: 'what is broken anyway', findings: [{ ...OPEN, level: 'broken' as const }] },
    { name: 'another cause', findings: [{ ...OPEN, suggests: 'tls-blocked' as const }] },
    { name: 'a service', findings: [{ ...OPEN, subject: 'push.fortinet.com:443' }] },
  ])('adds nothing to $name', ({ findings }) => {
    expect(added(report(REFUSED), findings)).toEqual([]);
  });
});

const flaw = (level: Finding['level'], rule = 'chain-has-no-flaw'): Finding =>
  finding('certificate-broken', { level, rule });

describe('a flaw', () => {
  test.each<{ name: string; from: Finding['level']; log: PollingReport; to: Finding['level']; unproven?: true }>([
    { name: 'a warning is broken with a complaint', from: 'warning', log: report(ONE_LINE), to: 'broken' },
    {
      name: 'but explains nothing if anybody can have written it',
      from: 'warning',
      log: report(REFUSED),
      to: 'broken',
      unproven: true,
    },
    {
      name: 'also with one that says no more',
      from: 'warning',
      log: report({ ...ONE_LINE, cause: 'polling-failing' }),
      to: 'broken',
    },
    { name: 'but not with a single datagram', from: 'warning', log: report(ONE_DATAGRAM), to: 'warning' },
    { name: 'a complaint of something else is none', from: 'warning', log: report(OF_LICENSE), to: 'warning' },
    {
      name: 'what is new is a warning while FortiAuthenticator is content',
      from: 'broken',
      log: report(),
      to: 'warning',
    },
    { name: 'which a single datagram does not change', from: 'broken', log: report(ONE_DATAGRAM), to: 'warning' },
    {
      name: 'what is new is broken with any other complaint',
      from: 'broken',
      log: report({ ...OF_LICENSE, reliable: true }),
      to: 'broken',
    },
    {
      name: 'which explains nothing if anybody can have written it',
      from: 'broken',
      log: report(OF_LICENSE),
      to: 'broken',
      unproven: true,
    },
    {
      name: 'what is new is broken while only datagrams say nothing else',
      from: 'broken',
      log: { ...report(), appliances: report().appliances.map((one) => ({ ...one, reliableLineAt: null })) },
      to: 'broken',
    },
    { name: 'what is new is broken without a log', from: 'broken', log: UNHEARD, to: 'broken' },
  ])('$name', ({ from, log, to, unproven }) => {
    expect(adjusted([flaw(from)], log)).toEqual([{ ...flaw(from), level: to, ...(unproven && { unproven }) }]);
  });

  test('of TLS 1.2 alone is weighed in the same way', () => {
    const [weighed] = adjusted([flaw('warning', 'older-tls-is-not-inspected')], report(REFUSED));
    expect(weighed?.level).toBe('broken');
  });

  test('of another kind is left alone', () => {
    const other = flaw('warning', 'certificate-is-in-date');
    expect(adjusted([other], report(REFUSED))).toEqual([other]);
  });
});

test.each<[string, PollingReport, boolean]>([
  ['writes without a complaint', report(), true],
  ['complains', report(ONE_DATAGRAM), false],
  [
    'writes without one, while another complains',
    { ...report(), appliances: [...report().appliances, ...report(ONE_DATAGRAM).appliances] },
    false,
  ],
  [
    'writes without one, while another is silent',
    {
      ...report(),
      appliances: report(ONE_DATAGRAM).appliances.flatMap((one) => [...report().appliances, { ...one, silent: true }]),
    },
    true,
  ],
  ['was never heard', UNHEARD, false],
])('an appliance that %s', (_, log, unaffected) => {
  expect(seemsUnaffected(log)).toBe(unaffected);
});

test.each<[string, PollingReport, boolean]>([
  ['refuses a certificate, by one datagram', report(ONE_DATAGRAM), true],
  ['says no more than that polling fails', report({ ...ONE_DATAGRAM, cause: 'polling-failing' }), true],
  [
    'refuses one, beside another that is content',
    { ...report(), appliances: [...report().appliances, ...report(REFUSED).appliances] },
    true,
  ],
  ['reports a timeout', report({ ...ONE_DATAGRAM, cause: 'egress-blocked' }), true],
  ['complains of a licence', report(OF_LICENSE), false],
  ['is content', report(), false],
  ['was never heard', UNHEARD, false],
])('an appliance that %s makes a closer look worth it, or not', (_, log, complains) => {
  expect(complainsOfConnections(log)).toBe(complains);
});
