import { Registry } from 'prom-client';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import type { SignatureSet } from '../../../src/core/polling/signature.ts';
import { defineMetrics } from '../../../src/metrics/definitions.ts';
import { Recorder } from '../../../src/metrics/recorder.ts';
import { configOf } from '../../support/config/config-of.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { shippedCatalogue } from '../../support/logs/signature-catalogue.ts';
import { parseExposition } from '../../support/monitoring/exposition.ts';

type Shown = Parameters<Recorder['incidents']>[0][number];

const MANY = Array.from({ length: 60 }, (_, index) => `fac-${String(index)}`);

let config: Config;
let signatures: SignatureSet;
beforeAll(async () => {
  const appliances = MANY.map((name, index) => `  - { name: ${name}, licenses: [EFTM${String(10 ** 11 + index)}] }\n`);
  config = await configOf(`appliances:\n${appliances.join('')}services: [{ name: push, host: push.test }]`);
  signatures = await shippedCatalogue();
});

let registry: Registry;
let recorder: Recorder;
beforeEach(() => {
  registry = new Registry();
  recorder = new Recorder(defineMetrics(registry));
  recorder.expect({ config, signatures, probes: [{ probe: 'smtp', target: 'mail.test:25' }], judged: [] });
});

function incident(subject: string, more: Partial<Shown> = {}): Shown {
  return { status: 'open', openedAt: 0, cause: causeOf('appliance-unreachable', { subject }), ...more };
}

async function shown(...incidents: readonly Shown[]): Promise<readonly Readonly<Record<string, unknown>>[]> {
  recorder.incidents(incidents);
  return parseExposition(await registry.metrics())
    .filter(({ name, value }) => name === 'ftm_incident_open' && value === 1)
    .map(({ labels }) => labels);
}

describe('open incidents', () => {
  test('of one cause are told apart by their subjects', async () => {
    expect(await shown(incident('fac-1'), incident('fac-2'))).toEqual([
      { cause: 'appliance-unreachable', severity: 'critical', subject: 'fac-1' },
      { cause: 'appliance-unreachable', severity: 'critical', subject: 'fac-2' },
    ]);
  });

  test('that are over are left out', async () => {
    expect(await shown(incident('fac-1', { status: 'closed' }))).toEqual([]);
  });

  test('are "other" together where the configuration does not name their subjects', async () => {
    expect(await shown(incident('EFTM1'), incident('smtp.evil.example"} 1\n'), incident(''))).toEqual([
      { cause: 'appliance-unreachable', severity: 'critical', subject: 'other' },
    ]);
  });

  test('are 50 at most: the gravest, then the oldest', async () => {
    const many = MANY.map((subject, index) => incident(subject, { openedAt: 1000 - index }));
    const note = incident('fac-9', { cause: causeOf('mail-slow', { severity: 'info', subject: 'fac-9' }) });
    expect((await shown(note, ...many)).map(({ subject }) => subject)).toEqual(MANY.toReversed().slice(0, 50));
  });

  test.each([
    'fac-1',
    'EFTM100000000001',
    'push.test:443',
    'fortitokenmobile.fortinet.com:443',
    'mail.test:25',
    'internet',
  ])('have the subject %s, which the configuration, a probe or a check names', async (subject) => {
    expect(await shown(incident(subject))).toEqual([{ cause: 'appliance-unreachable', severity: 'critical', subject }]);
  });
});
