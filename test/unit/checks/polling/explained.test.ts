import { describe, expect, test } from 'vitest';
import { preconditionOf, type FaultId, type PreconditionId } from '../../../../src/checks/registry.ts';
import { isCorroborated } from '../../../../src/core/polling/state.ts';
import {
  complainedOf,
  complainedOfPathAt,
  seenIn,
  withLaterSeen,
  withoutExplained,
  withoutSeen,
} from '../../../../src/checks/polling/judge.ts';
import type { PollingError, PollingReport } from '../../../../src/core/polling/report.ts';
import { judgeLog } from '../../../support/checks/judged-log.ts';
import { pollingError } from '../../../support/checks/polling-error.ts';

const MINUTE = 60_000;
const REPAIRED = Date.UTC(2026, 10, 24, 13);

function report(lastAt: number, moments: readonly number[] = [lastAt]): PollingReport {
  const error = {
    signature: 'ftm-polling-timeout',
    cause: null,
    severity: 'critical' as const,
    summary: '',
    count: moments.length,
    groups: moments.map((firstAt) => ({ firstAt, count: 1 })),
    firstAt: Math.min(...moments),
    lastAt,
    moments,
    reliable: false,
    sample: '',
    remedy: [],
  };
  return {
    window: 15 * MINUTE,
    silentAfter: 60 * MINUTE,
    appliances: [
      { name: 'fac-1', errors: [error], lastLineAt: lastAt, reliableLineAt: lastAt, silent: false, silentFor: null },
    ],
    firewallEvidence: [],
  };
}

describe('complainedOfPathAt()', () => {
  const of = (...errors: readonly PollingError[]): number | null =>
    complainedOfPathAt(
      { ...report(0), appliances: report(0).appliances.map((one) => ({ ...one, errors })) },
      preconditionOf,
    );
  const timeout = pollingError(REPAIRED, 'connection timeout');

  test.each<readonly [string, Partial<PollingError>, boolean]>([
    ['that polling fails', {}, true],
    ['of a port', { cause: 'egress-blocked' }, true],
    ['of a certificate, once', { cause: 'tls-intercepted', moments: [REPAIRED], reliable: false }, true],
    ['of a licence', { cause: 'license-on-other-unit' }, false],
    ['of mail', { cause: 'mail-unreachable' }, false],
    ['of what is no more than a warning', { severity: 'warning' }, false],
  ])('an appliance complains %s', (_, changes, counts) => {
    expect(of({ ...timeout, ...changes })).toBe(counts ? timeout.lastAt : null);
  });

  test('the latest counts', () => {
    expect(of({ ...timeout, lastAt: 5 }, { ...timeout, lastAt: 7 })).toBe(7);
    expect(of()).toBeNull();
  });
});

describe('withoutExplained()', () => {
  test.each([
    ['before the fault was seen last', REPAIRED - 5 * MINUTE, 0],
    ['in the aftermath of the repair', REPAIRED + MINUTE / 2, 0],
    ['after it', REPAIRED + 2 * MINUTE, 1],
  ])('an error %s', (_, lastAt, left) => {
    const { report: unexplained, notes } = withoutExplained(
      report(lastAt),
      [{ precondition: 'tls-genuine', appliance: null, since: 0, at: REPAIRED }],
      preconditionOf,
    );
    expect(unexplained.appliances[0]?.errors).toHaveLength(left);
    expect(notes.map(({ level }) => level)).toEqual(left === 0 ? ['note'] : []);
  });
});

describe('a fault and an error', () => {
  const fault = (appliance: string | null, at = REPAIRED) =>
    ({ precondition: 'tls-genuine', appliance, since: 0, at }) as const;

  test.each([
    ['of the same appliance', [fault('fac-1')], 0],
    ['of another appliance', [fault('fac-2')], 1],
    ['that are a minute apart', [fault(null, REPAIRED - MINUTE)], 0],
    ['that are more than a minute apart', [fault(null, REPAIRED - MINUTE - 1)], 1],
    ['beside a fault that explains nothing', [fault(null), fault(null, 0)], 0],
  ])('%s', (_, faults, left) => {
    expect(withoutExplained(report(REPAIRED), faults, preconditionOf).report.appliances[0]?.errors).toHaveLength(left);
  });

  test('a note says when the last of them came', () => {
    const errors = [1, 2].map((minutes) => pollingError(REPAIRED - minutes * MINUTE, 'FTM polling error'));
    const seen = report(REPAIRED);
    const both = { ...seen, appliances: seen.appliances.map((appliance) => ({ ...appliance, errors })) };
    expect(withoutExplained(both, [fault(null)], preconditionOf).notes).toMatchObject([
      {
        rule: 'no-ftm-errors',
        subject: 'fac-1',
        expected: 'No unexplained FortiToken Mobile errors',
      },
    ]);
  });

  test('faults are the same of one precondition, one appliance and one beginning', () => {
    const others = [
      { ...fault('fac-1', 1), precondition: 'mail' },
      { ...fault('fac-1', 1), since: 1 },
    ];
    const before = [fault('fac-1', 1), fault('fac-2', 1), ...others];
    const later = [fault('fac-1', 2), { ...fault('fac-3', 2), precondition: 'mail' }];
    expect(seenIn(before, later)).toEqual(before.slice(0, 1));
    expect(withoutSeen(before, later)).toEqual(before.slice(1));
    expect(withLaterSeen(before, later)).toEqual([...later, ...before.slice(1)]);
  });
});

function explainedBy(cause: string | null, sample: string): readonly string[] | undefined {
  const errors = [pollingError(REPAIRED, sample, { cause })];
  const appliances = report(REPAIRED).appliances.map((one) => ({ ...one, errors }));
  return judgeLog({ ...report(REPAIRED), appliances })[0]?.explainedBy;
}

describe('what can explain an error', () => {
  const SSL = 'db[1]: category="Event" user="" status="" FTM polling error: SSL session failed';
  test.each<{ name: string; cause: FaultId | null; sample: string; by: PreconditionId; can: boolean }>([
    { name: 'an SSL error by an inspection', cause: 'polling-failing', sample: SSL, by: 'tls-genuine', can: true },
    {
      name: 'an SSL error by the policy',
      cause: 'tls-interception-suspected',
      sample: SSL,
      by: 'firewall-policy',
      can: true,
    },
    { name: 'an SSL error by a licence', cause: 'polling-failing', sample: SSL, by: 'license-assignment', can: false },
    { name: 'an SSL error by mail', cause: null, sample: SSL, by: 'mail', can: false },
    { name: 'a lost mail by the resolvers', cause: 'mail-unreachable', sample: '', by: 'name-resolution', can: true },
    { name: 'a name by the resolvers', cause: 'name-not-found', sample: '', by: 'name-resolution', can: true },
    { name: 'a name by a dead uplink', cause: 'name-not-found', sample: '', by: 'internet', can: true },
    { name: 'a name by an inspection', cause: 'name-not-found', sample: '', by: 'tls-genuine', can: false },
    { name: 'a name by a policy', cause: 'name-not-found', sample: '', by: 'firewall-policy', can: false },
    {
      name: 'an unknown error by a licence',
      cause: null,
      sample: 'user="SSL" status="" FTM provision error: x',
      by: 'license-assignment',
      can: true,
    },
    { name: 'a lost mail by an inspection', cause: 'mail-unreachable', sample: '', by: 'tls-genuine', can: false },
    { name: 'a lost mail by the mail server', cause: 'mail-unreachable', sample: '', by: 'mail', can: true },
    { name: 'a lost mail by a dead uplink', cause: 'mail-unreachable', sample: '', by: 'internet', can: true },
    {
      name: 'a licence elsewhere by an inspection',
      cause: 'license-on-other-unit',
      sample: '',
      by: 'tls-genuine',
      can: false,
    },
    {
      name: 'a licence elsewhere by the licence',
      cause: 'license-on-other-unit',
      sample: '',
      by: 'license-assignment',
      can: true,
    },
  ])('$name: $can', ({ cause, sample, by, can }) => {
    expect(explainedBy(cause, sample)?.includes(by)).toBe(can);
  });
});

describe('complainedOf()', () => {
  const AT = REPAIRED;
  const SSL = pollingError(AT, 'FTM polling error: SSL session failed');
  const once = (changes: Partial<PollingError> = {}): PollingError => ({ ...SSL, moments: [AT - 1000], ...changes });
  const isOfTheWay = (...logs: readonly (readonly PollingError[])[]): boolean =>
    complainedOf(
      {
        ...report(AT),
        appliances: logs.map((errors, index) => ({
          name: `fac-${String(index)}`,
          errors,
          lastLineAt: AT,
          reliableLineAt: AT,
          silent: false,
          silentFor: null,
        })),
      },
      preconditionOf,
    ).includes('reachability');

  test.each<readonly [string, readonly (readonly PollingError[])[], boolean]>([
    ['two datagrams a minute apart', [[SSL]], true],
    ['one datagram', [[once()]], false],
    ['one line over TCP', [[once({ reliable: true })]], true],
    ['two texts a minute apart', [[once(), once({ signature: 'other', moments: [AT - 61_000] })]], true],
    ['one datagram of each of two appliances', [[once()], [once({ moments: [AT - 61_000] })]], false],
    [
      'one datagram, and one of what the way has nothing to do with',
      [[once(), once({ cause: 'license-on-other-unit', moments: [AT - 61_000] })]],
      false,
    ],
    ['what is worth a note', [[{ ...SSL, severity: 'info' }]], false],
    ['nothing', [[]], false],
  ])('%s', (_, logs, complained) => {
    expect(isOfTheWay(...logs)).toBe(complained);
  });
});

test('lines from before the repair are not counted with one that comes after it, and do not corroborate it', () => {
  const [appliance] = withoutExplained(
    report(REPAIRED + 5 * MINUTE, [REPAIRED - MINUTE, REPAIRED + 5 * MINUTE]),
    [{ precondition: 'tls-genuine', appliance: null, since: 0, at: REPAIRED }],
    preconditionOf,
  ).report.appliances;
  const after = REPAIRED + 5 * MINUTE;
  expect(appliance?.errors).toMatchObject([{ moments: [after], count: 1, firstAt: after, lastAt: after }]);
});

test.each([
  ['before the repair', REPAIRED - MINUTE, false],
  ['in its aftermath', REPAIRED + MINUTE, false],
  ['after it', REPAIRED + 4 * MINUTE, true],
])('a datagram after the repair is corroborated by a line over TCP %s: %o', (_, overTcpAt, expected) => {
  const [datagram] = report(REPAIRED + 5 * MINUTE).appliances;
  const errors = [datagram, ...report(overTcpAt).appliances].flatMap((appliance, index) =>
    (appliance?.errors ?? []).map((error) => ({ ...error, reliable: index === 1 })),
  );
  const { appliances } = withoutExplained(
    { ...report(0), appliances: report(0).appliances.map((appliance) => ({ ...appliance, errors })) },
    [{ precondition: 'tls-genuine', appliance: null, since: 0, at: REPAIRED }],
    preconditionOf,
  ).report;
  expect(isCorroborated(appliances[0]?.errors ?? [])).toBe(expected);
});
