import { describe, expect, test } from 'vitest';
import type { FaultId } from '../../../src/checks/registry.ts';
import type { PollingError } from '../../../src/core/polling/report.ts';
import { type Diagnosis, impactOf } from '../../../src/engine/model.ts';
import { AT, concluded } from '../../support/checks/concluded.ts';
import { configOf } from '../../support/config/config-of.ts';
import { CONTEXT, finding } from '../../support/checks/judged-round.ts';
import { pollingError } from '../../support/checks/polling-error.ts';
import { shippedCatalogue } from '../../support/logs/signature-catalogue.ts';

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
  const shows = { tls: broken === null ? [] : [finding(broken)] };
  return concluded({ config, errors: { 'fac-1': signatures.map(logged) }, shows }).diagnosis;
}

const namesOf = ({ causes }: Diagnosis): readonly string[] =>
  causes.map(({ id, subject, severity }) => `${id} ${subject} ${severity}`);

describe('users whom FortiAuthenticator disabled', () => {
  test('are a critical cause, whose remedy warns of re-enabling them', () => {
    const { causes, ready } = diagnosisOf(['users-deprovisioned']);
    expect(ready).toBe('not-ready');
    expect(causes).toMatchObject([{ id: 'users-disabled', subject: 'users of fac-1', severity: 'critical' }]);
    expect(causes[0]?.impact).toBe(impactOf('disabled', CONTEXT.activation));
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
    'appliance-ha-sync-behind',
    'appliance-ha-status-changed',
    'appliance-memory-trap',
    'appliance-ntp-failing',
  ])('%s is a warning with its own words', (id) => {
    const { causes, ready } = diagnosisOf([id]);
    expect(ready).toBe('ready');
    expect(causes).toMatchObject([
      { id: 'appliance-fault-logged', severity: 'warning', subject: 'fac-1 itself', said: byId.get(id)?.short },
    ]);
    expect(causes[0]?.summary).toContain(`fac-1: ${byId.get(id)?.summary ?? ''}`);
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
