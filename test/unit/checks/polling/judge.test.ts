import { describe, expect, test } from 'vitest';
import type { AppliancePolling, PollingError, PollingReport } from '../../../../src/core/polling/report.ts';
import { judgeLog } from '../../../support/checks/judged-log.ts';

const AT = Date.UTC(2026, 10, 24, 12);

const error = (changes: Partial<PollingError>): PollingError => ({
  signature: 'ftm-polling-ssl',
  cause: 'tls-interception-suspected',
  severity: 'critical',
  summary: 'The member is gone',
  remedy: ['Remove it'],
  count: 3,
  groups: [],
  firstAt: AT - 60_000,
  lastAt: AT,
  moments: [AT - 60_000, AT],
  reliable: false,
  sample: 'FTM polling error: SSL session failed',
  ...changes,
});
const appliance = (changes: Partial<AppliancePolling>): AppliancePolling => ({
  name: 'fac-1',
  errors: [],
  lastLineAt: AT,
  reliableLineAt: AT,
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

describe('the log of an appliance', () => {
  test('finds nothing wrong with a clean log that speaks, or was never heard', () => {
    const findings = judgeLog(
      report(appliance({}), appliance({ name: 'fac-2', lastLineAt: null, reliableLineAt: null })),
    );
    expect(findings.map(({ rule, subject }) => `${rule} ${subject}`)).toEqual(['first-line-arrived fac-2']);
  });

  test('tells what the log says, how often and since when', () => {
    expect(judgeLog(report(appliance({ errors: [error({})] })))).toEqual([
      {
        rule: 'no-ftm-errors',
        subject: 'fac-1',
        claim: '3 FortiToken Mobile errors were logged, from 2026-11-24 11:59:00 UTC to 2026-11-24 12:00:00 UTC.',
        witness: 'appliance-log',
        quote: 'FTM polling error: SSL session failed',
        at: Date.UTC(2026, 10, 24, 12),
        expected: 'No FortiToken Mobile errors in the log within 15 min',
        level: 'broken',
        suggests: 'polling-failing',
        explainedBy: [
          'internet',
          'name-resolution',
          'reachability',
          'tls-genuine',
          'license-server',
          'firewall-policy',
        ],
        unproven: true,
        facts: { appliance: 'fac-1', meaning: 'The member is gone' },
      },
    ]);
  });

  test('tells how far the time of a line is ahead', () => {
    const errors = [error({}), error({ cause: null, ahead: 2 * 3_600_000 - 900 })];
    const found = judgeLog(report(appliance({ errors }))).filter(({ rule }) => rule === 'log-time-agrees');
    expect(found).toMatchObject([{ subject: 'fac-1', level: 'note', suggests: 'polling-failing' }]);
    expect(found[0]?.claim).toContain(' is dated 2 h ahead of ');
  });

  test.each([
    {
      name: 'what only probes can tell',
      changes: { cause: 'tls-interception-suspected' },
      level: 'broken',
      suggests: 'polling-failing',
    },
    { name: 'a line without a reason', changes: { cause: null }, level: 'broken', suggests: 'polling-failing' },
    {
      name: 'a licence elsewhere',
      changes: { cause: 'license-on-other-unit' },
      level: 'broken',
      suggests: 'license-on-other-unit',
    },
    {
      name: 'a stale cluster member',
      changes: { cause: 'license-not-registered', severity: 'warning' },
      level: 'warning',
      suggests: 'license-not-registered',
    },
    { name: 'a hardware token', changes: { cause: null, severity: 'info' }, level: 'note', suggests: null },
  ] as const)('judges $name', ({ changes, level, suggests }) => {
    expect(judgeLog(report(appliance({ errors: [error(changes)] })))).toMatchObject([{ level, suggests }]);
  });

  test.each([
    { name: 'a line that says itself what is wrong', changes: { cause: 'license-on-other-unit' }, explained: true },
    { name: 'a warning', changes: { cause: null, severity: 'warning' }, explained: true },
    { name: 'a line about a path that the probes find clean', changes: {}, explained: false },
    { name: 'a name that its own resolvers do not know', changes: { cause: 'name-not-found' }, explained: true },
    { name: 'a note', changes: { cause: null, severity: 'info' }, explained: false },
  ] as const)('lets the catalogue of texts explain $name: $explained', ({ changes, explained }) => {
    const advice = { summary: 'fac-1: The member is gone.', remedy: ['Remove it'] };
    expect(judgeLog(report(appliance({ errors: [error(changes)] })))[0]?.advice).toEqual(
      explained ? advice : undefined,
    );
  });

  const alone = { firstAt: AT, moments: [AT], count: 1 };
  test.each([
    { name: 'one datagram', errors: [error(alone)], level: 'warning', confidence: 'suspected' },
    {
      name: 'what one datagram says came a thousand times',
      errors: [error({ ...alone, count: 1000 })],
      level: 'warning',
      confidence: 'suspected',
    },
    {
      name: 'two moments too close',
      errors: [error({ moments: [AT - 29_999, AT] })],
      level: 'warning',
      confidence: 'suspected',
    },
    { name: 'two moments', errors: [error({ moments: [AT - 30_000, AT] })], level: 'broken', confidence: undefined },
    {
      name: 'two texts at two moments',
      errors: [error(alone), error({ ...alone, signature: 'x', moments: [AT - 40_000] })],
      level: 'broken',
      confidence: undefined,
    },
    {
      name: 'a warning before',
      errors: [error(alone), error({ ...alone, severity: 'warning', moments: [AT - 40_000] })],
      level: 'warning',
      confidence: 'suspected',
    },
    {
      name: 'one line over a connection',
      errors: [error({ ...alone, reliable: true })],
      level: 'broken',
      confidence: undefined,
    },
    {
      name: 'a licence elsewhere, by one datagram',
      errors: [error({ ...alone, cause: 'license-on-other-unit' })],
      level: 'warning',
      confidence: 'suspected',
    },
  ] as const)('takes $name for $level', ({ errors, level, confidence }) => {
    const [finding] = judgeLog(report(appliance({ errors })));
    expect([finding?.level, finding?.confidence]).toEqual([level, confidence]);
  });

  test('rejections of the certificate explain the silence of that unit alone', () => {
    const rejection = { count: 3, lastAt: AT, names: ['logs.example.com'] };
    const notes = (unit: string, silent: boolean): readonly string[] =>
      judgeLog(
        report(appliance({ silent, silentFor: silent ? 100_000_000 : null, lastLineAt: AT, reliableLineAt: AT })),
        {
          certificateRejections: [{ appliance: unit, ...rejection }],
        },
      ).flatMap(({ rule, level, suggests }) =>
        rule === 'log-certificate-accepted' ? [`${level} ${String(suggests)}`] : [],
      );
    expect(notes('fac-1', true)).toEqual(['note appliance-silent']);
    expect([notes('fac-2', true), notes('fac-1', false)]).toEqual([[], []]);
  });

  test('warns of a log that has never spoken', () => {
    const [finding] = judgeLog(
      report(appliance({ silent: true, silentFor: 100_000_000, lastLineAt: null, reliableLineAt: null })),
    );
    expect(finding).toMatchObject({
      level: 'warning',
      suggests: 'appliance-silent',
    });
    expect(finding?.advice?.summary).toContain('fac-1 has never sent a log line');
  });

  test('warns of a log that has gone quiet', () => {
    const [finding] = judgeLog(
      report(appliance({ silent: true, silentFor: 100_000_000, lastLineAt: AT, reliableLineAt: AT - 100_000_000 })),
    );
    expect(finding).toMatchObject({
      rule: 'appliance-speaks',
      subject: 'fac-1',
      expected: 'A log line at least every 1 d',
      level: 'warning',
      suggests: 'appliance-silent',
    });
  });

  test('keeps the end of a long line, where the message is', () => {
    const [finding] = judgeLog(
      report(appliance({ errors: [error({ sample: `${'x'.repeat(900)} FTM polling error: end` })] })),
    );
    expect(finding?.quote).toMatch(/^…x+ FTM polling error: end$/u);
    expect(finding?.quote?.length).toBeLessThan(250);
  });
});
