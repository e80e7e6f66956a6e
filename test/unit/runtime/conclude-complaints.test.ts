import type { FaultId } from '../../../src/checks/registry.ts';
import { describe, expect, test } from 'vitest';
import type { FaultSeen } from '../../../src/checks/polling/explained.ts';
import type { PollingError, PollingReport } from '../../../src/core/polling/report.ts';
import { conclude, NOTHING_REMEMBERED } from '../../../src/runtime/conclude.ts';
import { configOf } from '../../support/config-of.ts';
import { finding, round } from '../../support/judged-round.ts';
import { pollingError } from '../../support/polling-error.ts';

const AT = Date.UTC(2026, 10, 24, 12);
const config = await configOf(
  'logs: { syslog: { udp: "127.0.0.1:5514" } }\nappliances: [{ name: fac-1, logSources: [10.0.0.5] }]\n',
);

const SSL = pollingError(AT, 'FTM polling error: SSL session failed');
const ONCE = pollingError(AT, 'FTM polling error: SSL session failed', { moments: [AT - 1000] });
const MAIL = pollingError(AT, 'Failed to send activation code', { cause: 'mail-unreachable', severity: 'warning' });
const LICENSE = pollingError(AT, 'FTM provision error: token does not belong to product', {
  cause: 'license-on-other-unit',
});

function concluded(
  errors: readonly PollingError[],
  broken: FaultId | null,
  faultsSeen: readonly FaultSeen[] = [],
): readonly string[] {
  const report: PollingReport = {
    window: 900_000,
    silentAfter: 86_400_000,
    appliances: [{ name: 'fac-1', errors, lastLineAt: AT, silent: false, silentFor: null }],
    firewallEvidence: [],
  };
  const probed = (broken === null ? round() : round(['tls-genuine', [finding(broken)]])).filter(
    ({ id }) => id !== 'polling',
  );
  const picture = { units: [], registration: null, firewall: null };
  const { diagnosis } = conclude(
    { config, at: AT, probed, picture },
    { kind: 'heard', report, strangers: [], ...NOTHING_REMEMBERED, faultsSeen },
  );
  return diagnosis.causes.map(({ id, severity, confidence }) => `${id} ${severity} ${confidence}`);
}

describe('what FortiAuthenticator complains of', () => {
  test.each<{
    name: string;
    errors: readonly PollingError[];
    broken: FaultId | null;
    faultsSeen?: readonly FaultSeen[];
    causes: readonly string[];
  }>([
    { name: 'on a clean path', errors: [SSL], broken: null, causes: ['polling-failing critical confirmed'] },
    { name: 'once, on a clean path', errors: [ONCE], broken: null, causes: ['polling-failing warning suspected'] },
    {
      name: 'of an inspection',
      errors: [SSL],
      broken: 'tls-intercepted',
      causes: ['tls-intercepted critical confirmed'],
    },
    {
      name: 'once, of an inspection',
      errors: [ONCE],
      broken: 'tls-intercepted',
      causes: ['tls-intercepted critical confirmed'],
    },
    {
      name: 'of mail during an inspection',
      errors: [SSL, MAIL],
      broken: 'tls-intercepted',
      causes: ['tls-intercepted critical confirmed', 'polling-failing warning confirmed'],
    },
    {
      name: 'of a licence during an inspection',
      errors: [LICENSE],
      broken: 'tls-intercepted',
      causes: ['tls-intercepted critical confirmed', 'license-on-other-unit critical confirmed'],
    },
    {
      name: 'of an inspection that is over',
      errors: [SSL],
      broken: null,
      faultsSeen: [{ precondition: 'tls-genuine', appliance: null, at: AT - 5000 }],
      causes: [],
    },
    {
      name: 'of mail, just after an inspection',
      errors: [MAIL],
      broken: null,
      faultsSeen: [{ precondition: 'tls-genuine', appliance: null, at: AT - 5000 }],
      causes: ['polling-failing warning confirmed'],
    },
    {
      name: 'of SSL, just after a licence came home',
      errors: [SSL],
      broken: null,
      faultsSeen: [{ precondition: 'license-assignment', appliance: null, at: AT - 5000 }],
      causes: ['polling-failing critical confirmed'],
    },
  ])('$name', ({ errors, broken, faultsSeen, causes }) => {
    expect(concluded(errors, broken, faultsSeen)).toEqual(causes);
  });
});

test('a log that has never said anything is waited for, and left out of "ready"', () => {
  const waited = { name: 'fac-1', errors: [], lastLineAt: null, silent: false, silentFor: null };
  const report: PollingReport = {
    window: 900_000,
    silentAfter: 86_400_000,
    appliances: [waited],
    firewallEvidence: [],
  };
  const probed = round().filter(({ id }) => id !== 'polling');
  const picture = { units: [], registration: null, firewall: null };
  const log = { kind: 'heard', report, strangers: ['10.9.9.9'], ...NOTHING_REMEMBERED } as const;
  const at = (blocked: typeof probed) => conclude({ config, at: AT, probed: blocked, picture }, log).diagnosis;
  const polling = at(probed).preconditions.find(({ id }) => id === 'polling');
  expect([at(probed).ready, polling?.state, polling?.summary]).toEqual([
    'ready',
    'unknown',
    'fac-1: Waiting for the first one, listening on UDP 127.0.0.1:5514; refused lines of unknown senders: 10.9.9.9',
  ]);
  const broken = at(round(['tls-genuine', [finding('tls-intercepted')]]).filter(({ id }) => id !== 'polling'));
  expect(broken.preconditions.find(({ id }) => id === 'polling')?.state).toBe('unknown');
});
