import { describe, expect, test } from 'vitest';
import type { FaultId } from '../../../src/checks/registry.ts';
import { shortCause } from '../../../src/checks/headline.ts';
import type { PollingError } from '../../../src/core/polling/report.ts';
import type { Diagnosis } from '../../../src/engine/model.ts';
import { conclude, NOTHING_REMEMBERED } from '../../../src/runtime/conclude.ts';
import { configOf } from '../../support/config/config-of.ts';
import { finding, round } from '../../support/checks/judged-round.ts';
import { picture } from '../../support/checks/observed.ts';
import { pollingError } from '../../support/checks/polling-error.ts';
import { shippedCatalogue } from '../../support/logs/signature-catalogue.ts';

const AT = Date.UTC(2026, 10, 24, 12);
const config = await configOf(
  'logs: { syslog: { udp: "127.0.0.1:5514" } }\nappliances: [{ name: fac-1, logSources: [10.0.0.5] }]\n',
);
const { byId } = await shippedCatalogue();

/** Returns the log error for a signature in the shipped catalogue. */
function logged(id: string): PollingError {
  const signature = byId.get(id);
  if (signature === undefined) throw new Error(`No signature "${id}"`);
  const { cause, severity, short, summary, remedy } = signature;
  const told = { signature: id, cause, severity, summary, remedy, ...(short === undefined ? {} : { short }) };
  return pollingError(AT, id, told);
}

function diagnosisOf(signatures: readonly string[], broken: FaultId | null = null): Diagnosis {
  const appliance = { name: 'fac-1', lastLineAt: AT, reliableLineAt: AT, silent: false, silentFor: null };
  const probed = round(...(broken === null ? [] : [['tls-genuine', [finding(broken)]] as const]));
  return conclude(
    { config, at: AT, probed: probed.filter(({ id }) => id !== 'polling'), picture: picture() },
    {
      kind: 'heard',
      report: {
        window: 900_000,
        silentAfter: 86_400_000,
        appliances: [{ ...appliance, errors: signatures.map(logged) }],
        firewallEvidence: [],
      },
      unknownSenders: [],
      ...NOTHING_REMEMBERED,
    },
  ).diagnosis;
}

const namesOf = ({ causes }: Diagnosis): readonly string[] =>
  causes.map(({ id, subject, severity }) => `${id} ${subject} ${severity}`);

describe('users whom FortiAuthenticator disabled', () => {
  test('are a critical cause, whose remedy warns of re-enabling them', () => {
    const { causes, ready } = diagnosisOf(['users-deprovisioned']);
    expect(ready).toBe('not-ready');
    expect(causes).toHaveLength(1);
    expect(causes[0]).toMatchObject({
      id: 'users-disabled',
      subject: 'users of fac-1',
      severity: 'critical',
      summary: expect.stringMatching(/^fac-1: FortiAuthenticator disabled a user .*bug 988000\)\.$/u),
      impact: expect.stringContaining('can log in without the second factor'),
      remedy: expect.arrayContaining([expect.stringContaining('which bypasses the second factor')]),
    });
  });

  test('stand beside the outage that led to it, and beside failed polling', () => {
    expect(namesOf(diagnosisOf(['users-deprovisioned', 'ftm-polling-error'], 'tls-intercepted'))).toEqual([
      'tls-intercepted fortitokenmobile.fortinet.com:443 critical',
      'users-disabled users of fac-1 critical',
    ]);
    expect(namesOf(diagnosisOf(['users-deprovisioned', 'ftm-polling-error']))).toEqual([
      'users-disabled users of fac-1 critical',
      'polling-failing fac-1 critical',
    ]);
  });
});

describe('a fault of the unit itself', () => {
  test.each([
    ['appliance-ha-sync-behind', 'logs an HA cluster out of sync', /^fac-1: The members of the HA cluster are not in/u],
    ['appliance-ha-status-changed', 'logs an HA status change', /^fac-1: The HA status of FortiAuthenticator has ch/u],
    ['appliance-memory-trap', 'fac-1 itself logs low memory', /When it starts to use swap, token provisioning/u],
    [
      'appliance-ntp-failing',
      'fac-1 itself logs no NTP server',
      /valid for 60 s\. If the clock is off by more than that, FortiAuthenticator rejects them/u,
    ],
  ])('%s is a warning with its own words', (id, short, summary) => {
    const { causes, ready } = diagnosisOf([id]);
    expect(ready).toBe('ready');
    expect(causes).toHaveLength(1);
    expect(causes[0]).toMatchObject({ id: 'appliance-fault-logged', severity: 'warning', subject: 'fac-1 itself' });
    expect(causes[0]?.summary).toMatch(summary);
    expect(causes.map((cause) => shortCause(cause))).toEqual([short]);
  });

  test('stands beside failed polling', () => {
    expect(namesOf(diagnosisOf(['appliance-ha-status-changed', 'ftm-polling-error']))).toEqual([
      'polling-failing fac-1 critical',
      'appliance-fault-logged fac-1 itself warning',
    ]);
  });

  test('is not explained by an outage of the path', () => {
    expect(namesOf(diagnosisOf(['appliance-ha-status-changed'], 'tls-intercepted'))).toEqual([
      'tls-intercepted fortitokenmobile.fortinet.com:443 critical',
      'appliance-fault-logged fac-1 itself warning',
    ]);
  });
});
