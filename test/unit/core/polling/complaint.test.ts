import { describe, expect, test } from 'vitest';
import { judgeComplaint } from '../../../../src/core/polling/complaint.ts';
import type { PollingError, PollingReport } from '../../../../src/core/polling/report.ts';
import { finding, TARGET } from '../../../support/judged-round.ts';

const REFUSED: PollingError = {
  signature: 'ftm-polling-ssl',
  cause: 'tls-interception-suspected',
  severity: 'critical',
  summary: 'x',
  remedy: [],
  count: 2,
  firstAt: Date.parse('2026-11-25T12:00:00Z'),
  lastAt: Date.parse('2026-11-25T12:03:00Z'),
  moments: [Date.parse('2026-11-25T12:00:00Z'), Date.parse('2026-11-25T12:03:00Z')],
  reliable: false,
  perHour: 1,
  sample: 'FTM polling error: SSL session failed',
};

function report(...errors: readonly PollingError[]): PollingReport {
  return {
    window: 900_000,
    silentAfter: 86_400_000,
    appliances: [{ name: 'fac-1', errors, lastLineAt: REFUSED.lastAt, silent: false, silentFor: null }],
    firewallEvidence: [],
  };
}

const OPEN = finding('vendor-ca-changed', { level: 'warning', confidence: 'suspected', facts: { judgement: 'It is new' } });

describe('judgeComplaint()', () => {
  test.each([OPEN, { ...OPEN, suggests: 'certificate-broken' as const }])(
    'raises what is open to a suspicion, and confirms nothing',
    (open) => {
      const [raised, ...more] = judgeComplaint(report(REFUSED), [finding(null), open], TARGET);
      expect(more).toEqual([]);
      expect(raised).toMatchObject({
        subject: TARGET,
        level: 'broken',
        suggests: 'tls-interception-suspected',
        confidence: 'suspected',
        actual: 'fac-1 at 2026-11-25T12:03:00Z: FTM polling error: SSL session failed',
        facts: { judgement: 'It is new', appliance: 'fac-1' },
      });
      expect(raised?.advice?.remedy.join(' ')).toContain('newer firmware');
    },
  );

  test.each([
    { name: 'another error', errors: [{ ...REFUSED, cause: 'egress-blocked' as const }] },
    { name: 'an error without a cause', errors: [{ ...REFUSED, cause: null }] },
    { name: 'an error that is no more than a warning', errors: [{ ...REFUSED, severity: 'warning' as const }] },
    { name: 'a clean log', errors: [] },
  ])('adds nothing to $name', ({ errors }) => {
    expect(judgeComplaint(report(...errors), [OPEN], TARGET)).toEqual([]);
  });

  test.each([
    { name: 'a certificate that is genuine', findings: [] },
    { name: 'what is confirmed', findings: [{ ...OPEN, confidence: 'confirmed' as const }] },
    { name: 'what is broken anyway', findings: [{ ...OPEN, level: 'broken' as const }] },
    { name: 'another cause', findings: [{ ...OPEN, suggests: 'tls-blocked' as const }] },
    { name: 'a service', findings: [{ ...OPEN, subject: 'push.fortinet.com:443' }] },
  ])('adds nothing to $name', ({ findings }) => {
    expect(judgeComplaint(report(REFUSED), findings, TARGET)).toEqual([]);
  });
});
