import { describe, expect, test } from 'vitest';
import type { FaultSeen } from '../../../../src/checks/check.ts';
import { preconditionOf, type FaultId, type PreconditionId } from '../../../../src/checks/registry.ts';
import { isSufficientEvidence } from '../../../../src/core/polling/state.ts';
import {
  complainedOf,
  complainedOfPathAt,
  explainedBy,
  seenIn,
  withLaterSeen,
  withoutExplained,
  withoutSeen,
} from '../../../../src/checks/polling/explained.ts';
import type { PollingError, PollingReport } from '../../../../src/core/polling/report.ts';
import { heard } from '../../../support/checks/facts.ts';
import { pollingError } from '../../../support/checks/polling-error.ts';

const MINUTE = 60_000;
const REPAIRED = Date.UTC(2026, 10, 24, 13);

/** Returns the log of one appliance, by default with one error at these moments. */
function report(
  lastAt: number,
  { moments = [lastAt], errors }: { moments?: readonly number[]; errors?: readonly PollingError[] } = {},
): PollingReport {
  const groups = moments.map((firstAt) => ({ firstAt, count: 1 }));
  const seen = { count: moments.length, groups, firstAt: Math.min(...moments), lastAt, moments };
  const timeout = pollingError(lastAt, '', { signature: 'ftm-polling-timeout', cause: null, remedy: [], ...seen });
  const heard = { errorsWithinHour: 0, lastLineAt: lastAt, reliableLineAt: lastAt, silent: false, silentFor: null };
  return {
    window: 15 * MINUTE,
    silentAfter: 60 * MINUTE,
    appliances: [{ name: 'fac-1', errors: errors ?? [timeout], ...heard }],
    firewallEvidence: [],
  };
}

const FAULT: FaultSeen = {
  precondition: 'tls-genuine',
  appliance: null,
  since: 0,
  at: REPAIRED,
};

describe('complainedOfPathAt()', () => {
  const of = (...errors: readonly PollingError[]): number | null =>
    complainedOfPathAt(report(0, { errors }), preconditionOf);
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
    const { report: unexplained, notes } = withoutExplained(report(lastAt), () => [FAULT], preconditionOf);
    expect(unexplained.appliances[0]?.errors).toHaveLength(left);
    expect(notes.map(({ level }) => level)).toEqual(left === 0 ? ['note'] : []);
  });
});

describe('a fault and an error', () => {
  const fault = (appliance: string | null, at = REPAIRED) => ({ ...FAULT, appliance, at });

  test.each([
    ['of the same appliance', [fault('fac-1')], 0],
    ['of another appliance', [fault('fac-2')], 1],
    ['that are a minute apart', [fault(null, REPAIRED - MINUTE)], 0],
    ['that are more than a minute apart', [fault(null, REPAIRED - MINUTE - 1)], 1],
    ['beside a fault that explains nothing', [fault(null), fault(null, 0)], 0],
  ])('%s', (_, faults, left) => {
    expect(withoutExplained(report(REPAIRED), () => faults, preconditionOf).report.appliances[0]?.errors).toHaveLength(
      left,
    );
  });

  test('is one note of all', () => {
    const errors = [1, 2].map((minutes) => pollingError(REPAIRED - minutes * MINUTE, 'FTM polling error'));
    const { notes } = withoutExplained(report(REPAIRED, { errors }), () => [fault(null)], preconditionOf);
    expect(notes).toMatchObject([{ rule: 'no-ftm-errors', subject: 'fac-1' }]);
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

describe('what can explain an error', () => {
  const SSL = 'db[1]: category="Event" user="" status="" FTM polling error: SSL session failed';
  const EXPORTED = 'date=2025-06-04 oid=1 cat="Event" status="" msg="SSL session failed" user="admin" requestid=';
  const ANY = 'user="SSL" status="" FTM provision error: x';
  const ANY_EXPORTED = 'date=2025-06-04 oid=1 cat="Event" status="" msg="FTM provision error: x" user="SSL"';

  test.each<readonly [string, FaultId | null, sample: string, by: PreconditionId, can: boolean]>([
    ['an SSL error by an inspection', 'polling-failing', SSL, 'tls-genuine', true],
    ['an SSL error by the policy', 'tls-interception-suspected', SSL, 'firewall-policy', true],
    ['an SSL error by a licence', 'polling-failing', SSL, 'license-assignment', false],
    ['an SSL error of the raw export by a licence', 'polling-failing', EXPORTED, 'license-assignment', false],
    ['an unknown error of the raw export by a licence', null, ANY_EXPORTED, 'license-assignment', true],
    ['an SSL error by mail', null, SSL, 'mail', false],
    ['a lost mail by the resolvers', 'mail-unreachable', '', 'name-resolution', true],
    ['a name by the resolvers', 'name-not-found', '', 'name-resolution', true],
    ['a name by a dead uplink', 'name-not-found', '', 'internet', true],
    ['a name by an inspection', 'name-not-found', '', 'tls-genuine', false],
    ['a name by a policy', 'name-not-found', '', 'firewall-policy', false],
    ['an unknown error by a licence', null, ANY, 'license-assignment', true],
    ['a lost mail by an inspection', 'mail-unreachable', '', 'tls-genuine', false],
    ['a lost mail by the mail server', 'mail-unreachable', '', 'mail', true],
    ['a lost mail by a dead uplink', 'mail-unreachable', '', 'internet', true],
    ['a licence elsewhere by an inspection', 'license-on-other-unit', '', 'tls-genuine', false],
    ['a licence elsewhere by the licence', 'license-on-other-unit', '', 'license-assignment', true],
  ])('%s: $4', (_, cause, sample, by, can) => {
    expect(explainedBy({ cause, sample }, preconditionOf).includes(by)).toBe(can);
  });
});

describe('complainedOf()', () => {
  const AT = REPAIRED;
  const SSL = pollingError(AT, 'FTM polling error: SSL session failed');
  const once = (changes: Partial<PollingError> = {}): PollingError => ({ ...SSL, moments: [AT - 1000], ...changes });
  const isOfTheWay = (...logs: readonly (readonly PollingError[])[]): boolean =>
    complainedOf(
      heard({ ...report(AT), appliances: logs.flatMap((errors) => report(AT, { errors }).appliances) }),
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
  const after = REPAIRED + 5 * MINUTE;
  const log = report(after, { moments: [REPAIRED - MINUTE, after] });
  const [appliance] = withoutExplained(log, () => [FAULT], preconditionOf).report.appliances;
  expect(appliance?.errors).toMatchObject([{ moments: [after], count: 1, firstAt: after, lastAt: after }]);
});

test.each([
  ['before the repair', REPAIRED - MINUTE, false],
  ['in its aftermath', REPAIRED + MINUTE, false],
  ['after it', REPAIRED + 4 * MINUTE, true],
])('a datagram after the repair is corroborated by a line over TCP %s: %o', (_, overTcpAt, expected) => {
  const errors = [REPAIRED + 5 * MINUTE, overTcpAt].flatMap((at, index) =>
    report(at).appliances.flatMap((one) => one.errors.map((error) => ({ ...error, reliable: index === 1 }))),
  );
  const { appliances } = withoutExplained(report(0, { errors }), () => [FAULT], preconditionOf).report;
  expect(isSufficientEvidence(appliances[0]?.errors ?? [])).toBe(expected);
});
