import { Registry } from 'prom-client';
import { beforeAll, expect, test } from 'vitest';
import { CHECKS } from '../../../src/checks/registry.ts';
import type { Assessment, Diagnosis, Finding, FindingLevel } from '../../../src/engine/model.ts';
import { diagnose } from '../../../src/engine/diagnose.ts';
import type { Config } from '../../../src/config/config.ts';
import { defineMetrics } from '../../../src/metrics/definitions.ts';
import { Recorder } from '../../../src/metrics/recorder.ts';
import { configOf } from '../../support/config/config-of.ts';
import { parseExposition } from '../../support/monitoring/exposition.ts';

let config: Config;
beforeAll(async () => {
  config = await configOf(
    'appliances:\n' +
      '  - { name: fac-1, serial: FACVM0000000001, licenses: [EFTM000000000001, eftm000000000002] }\n' +
      '  - { name: fac-2, serial: FACVM0000000002, licenses: [EFTM000000000003] }\n' +
      'registration: { user: api, passwordEnv: SET_SECRET }',
  );
});

function finding(level: FindingLevel, appliance: string, license?: string): Finding {
  const facts = { appliance, ...(license === undefined ? {} : { license }) };
  const subject = license ?? appliance;
  return { rule: 'r', subject, claim: 'c', expected: 'e', actual: 'a', level, suggests: null, facts };
}

/** Returns `1=1 2=0 3=-`, with each licence by its last digit. */
async function assigned(diagnosis: Diagnosis, under: Config): Promise<string> {
  const registry = new Registry();
  new Recorder(defineMetrics(registry)).diagnosed(diagnosis, under);
  const known = new Map(
    parseExposition(await registry.metrics())
      .filter(({ name }) => name === 'ftm_license_assigned')
      .map(({ labels, value }) => [String(labels['license']).slice(-1), value]),
  );
  return ['1', '2', '3'].map((digit) => `${digit}=${String(known.get(digit) ?? '-')}`).join(' ');
}

function diagnosed(kind: Assessment['kind'], ...findings: readonly Finding[]): Diagnosis {
  return diagnose([{ id: 'license-assignment', kind, findings, summary: '' }], {
    site: 'hq',
    at: 0,
    host: 'license.example.test',
    port: 443,
    source: null,
    activation: { licenseActive: null, offlineSupported: null },
    checks: CHECKS,
    applianceUnaffected: false,
  });
}

test.each([
  ['all are where they belong', diagnosed('judged'), '1=1 2=1 3=1'],
  ['nothing was asked yet', diagnosed('unjudged'), '1=- 2=- 3=-'],
  ['nobody can be asked', diagnosed('not-configured'), '1=- 2=- 3=-'],
  ['one is on another unit', diagnosed('judged', finding('broken', 'fac-1', 'EFTM000000000002')), '1=1 2=0 3=1'],
  [
    'one is on the peer of a cluster',
    diagnosed('judged', finding('warning', 'fac-1', 'EFTM000000000001')),
    '1=0 2=1 3=1',
  ],
  ['one is not listed', diagnosed('judged', finding('unknown', 'fac-1', 'EFTM000000000001')), '1=- 2=1 3=1'],
  [
    'one is not listed, and one is wrong',
    diagnosed(
      'judged',
      finding('unknown', 'fac-1', 'EFTM000000000001'),
      finding('broken', 'fac-2', 'EFTM000000000003'),
    ),
    '1=- 2=1 3=0',
  ],
  ['the service does not answer for a unit', diagnosed('judged', finding('unknown', 'fac-1')), '1=- 2=- 3=1'],
  [
    'the licence of another unit is wrong',
    diagnosed('judged', finding('broken', 'fac-2', 'EFTM000000000001')),
    '1=1 2=1 3=1',
  ],
])('knows where the licences are when %s', async (_, diagnosis, expected) => {
  expect(await assigned(diagnosis, config)).toBe(expected);
});

test('nothing is said of licences that nobody was asked about, whatever else is found of them', async () => {
  const diagnosis = diagnosed('judged', finding('warning', 'fac-1', 'EFTM000000000001'));
  expect(await assigned(diagnosis, config)).toBe('1=0 2=1 3=1');
  expect(await assigned(diagnosis, { ...config, registration: null })).toBe('1=- 2=- 3=-');
});
