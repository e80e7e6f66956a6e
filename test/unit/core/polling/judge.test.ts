import { describe, expect, test } from 'vitest';
import { judgePolling } from '../../../../src/core/polling/judge.ts';
import type { AppliancePolling, PollingError, PollingReport } from '../../../../src/core/polling/report.ts';

const AT = Date.UTC(2026, 10, 24, 12);

const error = (changes: Partial<PollingError>): PollingError => ({
  signature: 'ftm-polling-ssl',
  cause: 'tls-interception-suspected',
  severity: 'critical',
  summary: 'The member is gone',
  remedy: ['Remove it'],
  count: 3,
  firstAt: AT - 60_000,
  lastAt: AT,
  perHour: 12,
  sample: 'FTM polling error: SSL session failed',
  ...changes,
});
const appliance = (changes: Partial<AppliancePolling>): AppliancePolling => ({
  name: 'fac-1',
  errors: [],
  lastLineAt: AT,
  silent: false,
  silentFor: null,
  ...changes,
});
const report = (...appliances: readonly AppliancePolling[]): PollingReport => ({
  window: 900_000,
  silentAfter: 86_400_000,
  appliances,
  firewallEvidence: [],
});

describe('judgePolling', () => {
  test('finds nothing wrong with a clean log that speaks, or was never heard', () => {
    expect(judgePolling(report(appliance({}), appliance({ name: 'fac-2', lastLineAt: null })))).toEqual([]);
  });

  test('tells what the log says, how often and since when', () => {
    expect(judgePolling(report(appliance({ errors: [error({})] })))).toEqual([
      {
        rule: 'no-ftm-errors',
        subject: 'fac-1',
        expected: 'No FTM errors in the log within 15 min',
        actual: '3 times since 2026-11-24T11:59:00Z, last 2026-11-24T12:00:00Z: FTM polling error: SSL session failed',
        level: 'broken',
        suggests: 'polling-failing',
        facts: { appliance: 'fac-1' },
      },
    ]);
  });

  test.each([
    { name: 'what only probes can tell', changes: { cause: 'tls-interception-suspected' }, level: 'broken', suggests: 'polling-failing' },
    { name: 'a line without a reason', changes: { cause: null }, level: 'broken', suggests: 'polling-failing' },
    { name: 'a licence elsewhere', changes: { cause: 'license-on-other-unit' }, level: 'broken', suggests: 'license-on-other-unit' },
    {
      name: 'a stale cluster member',
      changes: { cause: 'license-not-registered', severity: 'warning' },
      level: 'warning',
      suggests: 'license-not-registered',
    },
    { name: 'a hardware token', changes: { cause: null, severity: 'info' }, level: 'note', suggests: null },
  ] as const)('judges $name', ({ changes, level, suggests }) => {
    expect(judgePolling(report(appliance({ errors: [error(changes)] })))).toMatchObject([{ level, suggests }]);
  });

  test.each([
    { name: 'a line that says itself what is wrong', changes: { cause: 'license-on-other-unit' }, explained: true },
    { name: 'a warning', changes: { cause: null, severity: 'warning' }, explained: true },
    { name: 'a line about a path that the probes find clean', changes: {}, explained: false },
    { name: 'a note', changes: { cause: null, severity: 'info' }, explained: false },
  ] as const)('lets the catalogue of texts explain $name: $explained', ({ changes, explained }) => {
    const advice = { summary: 'fac-1: The member is gone.', remedy: ['Remove it'] };
    expect(judgePolling(report(appliance({ errors: [error(changes)] })))[0]?.advice).toEqual(explained ? advice : undefined);
  });

  test('warns of a log that has gone quiet', () => {
    const [finding] = judgePolling(report(appliance({ silent: true, silentFor: 100_000_000, lastLineAt: AT - 100_000_000 })));
    expect(finding).toMatchObject({
      rule: 'appliance-speaks',
      subject: 'fac-1',
      expected: 'A log line at least every 24 h',
      actual: 'Nothing since 2026-11-23T08:13:20Z, 27 h ago',
      level: 'warning',
      suggests: 'appliance-silent',
    });
  });

  test('keeps the end of a long line, where the message is', () => {
    const [finding] = judgePolling(report(appliance({ errors: [error({ sample: `${'x'.repeat(900)} FTM polling error: end` })] })));
    expect(finding?.actual).toMatch(/: …x+ FTM polling error: end$/u);
    expect(finding?.actual.length).toBeLessThan(350);
  });
});
