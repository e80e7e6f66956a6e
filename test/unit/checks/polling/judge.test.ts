import { describe, expect, test } from 'vitest';
import type { AppliancePolling, PollingError, PollingReport } from '../../../../src/core/polling/report.ts';
import type { Finding } from '../../../../src/engine/model.ts';
import { judgeLog } from '../../../support/checks/judged-log.ts';
import { pollingError } from '../../../support/checks/polling-error.ts';

const AT = Date.UTC(2026, 10, 24, 12);

const error = (changes: Partial<PollingError>): PollingError =>
  pollingError(AT, 'FTM polling error: SSL session failed', {
    cause: 'tls-interception-suspected',
    summary: 'The member is gone',
    remedy: ['Remove it'],
    ...changes,
  });
const appliance = (changes: Partial<AppliancePolling>): AppliancePolling => ({
  name: 'fac-1',
  errors: [],
  errorsWithinHour: 0,
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
  test('is clean if it speaks, and waits for the first line of each appliance that has said nothing', () => {
    const unheard = appliance({ name: 'fac-2', lastLineAt: null, reliableLineAt: null });
    const waiting = { rule: 'first-line-arrived', level: 'unknown', suggests: null, explainedBy: [] };
    expect(judgeLog(report(appliance({})))).toEqual([]);
    expect(judgeLog(report(appliance({}), unheard))).toMatchObject([{ ...waiting, subject: 'fac-2' }]);
    const rules = judgeLog(report({ ...unheard, silent: true, silentFor: 1 })).map(({ rule }) => rule);
    expect(rules).not.toContain(waiting.rule);
    expect(judgeLog(report())).toMatchObject([{ ...waiting, subject: 'the log' }]);
  });

  test('tells what the log says, as evidence that a datagram does not prove', () => {
    expect(judgeLog(report(appliance({ errors: [error({})] })))).toMatchObject([
      {
        rule: 'no-ftm-errors',
        subject: 'fac-1',
        witness: 'appliance-log',
        quote: 'FTM polling error: SSL session failed',
        at: AT - 1000,
        level: 'broken',
        suggests: 'polling-failing',
        unproven: true,
        facts: { appliance: 'fac-1', meaning: 'The member is gone' },
      },
    ]);
  });

  test('tells how far the time of a line is ahead', () => {
    const errors = [error({}), error({ cause: null, ahead: 2 * 3_600_000 - 900 })];
    const found = judgeLog(report(appliance({ errors }))).filter(({ rule }) => rule === 'log-time-agrees');
    expect(found).toMatchObject([{ subject: 'fac-1', level: 'note', suggests: 'polling-failing' }]);
    expect(found[0]?.claim).toContain(' 2 h ');
  });

  test.each<readonly [string, Partial<PollingError>, Finding['level'], Finding['suggests'], isExplained: boolean]>([
    ['what only probes can tell', {}, 'broken', 'polling-failing', false],
    ['a line without a reason', { cause: null }, 'broken', 'polling-failing', false],
    ['a warning without a reason', { cause: null, severity: 'warning' }, 'warning', 'polling-failing', true],
    ['a licence elsewhere', { cause: 'license-on-other-unit' }, 'broken', 'license-on-other-unit', true],
    ['a name that its own resolvers do not know', { cause: 'name-not-found' }, 'broken', 'polling-failing', true],
    [
      'a stale cluster member',
      { cause: 'license-not-registered', severity: 'warning' },
      'warning',
      'license-not-registered',
      true,
    ],
    ['a hardware token', { cause: null, severity: 'info' }, 'note', null, false],
  ])('judges %s, which the catalogue of texts may explain: $4', (_, changes, level, suggests, isExplained) => {
    const advice = { summary: 'fac-1: The member is gone.', remedy: ['Remove it'] };
    const [finding] = judgeLog(report(appliance({ errors: [error(changes)] })));
    expect(finding).toMatchObject({ level, suggests });
    expect(finding?.advice).toEqual(isExplained ? advice : undefined);
  });

  const alone = { firstAt: AT, moments: [AT], count: 1 };
  test.each<readonly [string, readonly PollingError[], isProven: boolean]>([
    ['one datagram', [error(alone)], false],
    ['one datagram beside a reliable line', [error(alone), error({ ...alone, reliable: true, signature: 'x' })], false],
    ['what one datagram says came a thousand times', [error({ ...alone, count: 1000 })], false],
    ['two moments too close', [error({ moments: [AT - 29_999, AT] })], false],
    ['two moments', [error({ moments: [AT - 30_000, AT] })], true],
    ['two texts at two moments', [error(alone), error({ ...alone, signature: 'x', moments: [AT - 40_000] })], true],
    ['a warning before', [error(alone), error({ ...alone, severity: 'warning', moments: [AT - 40_000] })], false],
    ['one line over a connection', [error({ ...alone, reliable: true })], true],
    ['a licence elsewhere, by one datagram', [error({ ...alone, cause: 'license-on-other-unit' })], false],
  ])('takes %s for proof: $2', (_, errors, isProven) => {
    const [finding] = judgeLog(report(appliance({ errors })));
    expect([finding?.level, finding?.confidence]).toEqual(isProven ? ['broken', undefined] : ['warning', 'suspected']);
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

  test.each([
    ['has never spoken', null],
    ['has gone quiet', AT],
  ])('warns of a log that %s', (_, lastLineAt) => {
    const quiet = appliance({ silent: true, silentFor: 100_000_000, lastLineAt, reliableLineAt: lastLineAt });
    const silence = { rule: 'appliance-speaks', subject: 'fac-1', level: 'warning', suggests: 'appliance-silent' };
    const findings = judgeLog(report(quiet));
    expect(findings).toMatchObject([silence]);
    expect(findings[0]?.advice === undefined).toBe(lastLineAt !== null);
  });

  test('keeps the end of a long line, where the message is', () => {
    const [finding] = judgeLog(
      report(appliance({ errors: [error({ sample: `${'x'.repeat(900)} FTM polling error: end` })] })),
    );
    expect(finding?.quote).toMatch(/^…x+ FTM polling error: end$/u);
    expect(finding?.quote?.length).toBeLessThan(250);
  });
});
