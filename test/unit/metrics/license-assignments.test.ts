import { expect, test } from 'vitest';
import { CHECKS } from '../../../src/checks/registry.ts';
import type { Assessment, Diagnosis, Finding, FindingLevel } from '../../../src/engine/model.ts';
import { diagnose } from '../../../src/engine/diagnose.ts';
import { licenseAssignments } from '../../../src/metrics/recorder.ts';
import type { ApplianceConfig } from '../../../src/config/schema/connectors.ts';

const UNIT: ApplianceConfig = {
  name: 'fac-1',
  serial: null,
  peerSerial: null,
  logSources: [],
  licenses: ['EFTM000000000001', 'eftm000000000002'],
  certificates: [],
  api: null,
  snmp: null,
  tokensLow: 0.1,
};
const CONFIG = { appliances: [UNIT, { ...UNIT, name: 'fac-2', licenses: ['EFTM000000000003'] }], registration: {} };

function finding(level: FindingLevel, appliance: string, license?: string): Finding {
  const facts = { appliance, ...(license === undefined ? {} : { license }) };
  const subject = license ?? appliance;
  return { rule: 'r', subject, claim: 'c', expected: 'e', actual: 'a', level, suggests: null, facts };
}

/** Returns `1=1 2=0 3=-`, with each licence by its last digit. */
function assigned(kind: Assessment['kind'], ...findings: readonly Finding[]): string {
  const known = new Map(
    licenseAssignments(diagnosed(kind, findings), CONFIG).map(({ license, assigned: value }) => [
      license.slice(-1),
      value,
    ]),
  );
  return ['1', '2', '3'].map((digit) => `${digit}=${String(known.get(digit) ?? '-')}`).join(' ');
}

function diagnosed(kind: Assessment['kind'], findings: readonly Finding[]): Diagnosis {
  return diagnose([{ id: 'license-assignment', kind, findings, summary: '' }], {
    site: 'hq',
    at: 0,
    host: 'license.example.test',
    port: 443,
    source: null,
    activation: { licenseActive: null, offlineActivation: null },
    checks: CHECKS,
    applianceUnaffected: false,
  });
}

test.each([
  ['all are where they belong', assigned('judged'), '1=1 2=1 3=1'],
  ['nothing was asked yet', assigned('unjudged'), '1=- 2=- 3=-'],
  ['nobody can be asked', assigned('not-configured'), '1=- 2=- 3=-'],
  ['one is on another unit', assigned('judged', finding('broken', 'fac-1', 'EFTM000000000002')), '1=1 2=0 3=1'],
  [
    'one is on the peer of a cluster',
    assigned('judged', finding('warning', 'fac-1', 'EFTM000000000001')),
    '1=0 2=1 3=1',
  ],
  ['one is not listed', assigned('judged', finding('unknown', 'fac-1', 'EFTM000000000001')), '1=- 2=1 3=1'],
  [
    'one is not listed, and one is wrong',
    assigned('judged', finding('unknown', 'fac-1', 'EFTM000000000001'), finding('broken', 'fac-2', 'EFTM000000000003')),
    '1=- 2=1 3=0',
  ],
  ['the service does not answer for a unit', assigned('judged', finding('unknown', 'fac-1')), '1=- 2=- 3=1'],
  [
    'the licence of another unit is wrong',
    assigned('judged', finding('broken', 'fac-2', 'EFTM000000000001')),
    '1=1 2=1 3=1',
  ],
])('knows where the licences are when %s', (_, seen, expected) => {
  expect(seen).toBe(expected);
});

test('nothing is said of licences that nobody was asked about, whatever else is found of them', () => {
  const findings = [finding('warning', 'fac-1', 'EFTM000000000001')];
  const diagnosis = diagnosed('judged', findings);
  expect(licenseAssignments(diagnosis, CONFIG)).not.toEqual([]);
  expect(licenseAssignments(diagnosis, { ...CONFIG, registration: null })).toEqual([]);
});
