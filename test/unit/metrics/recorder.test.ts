import { Registry } from 'prom-client';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';

import type { Config } from '../../../src/config/config.ts';
import type { DnsReply } from '../../../src/core/observation.ts';
import type { SignatureSet } from '../../../src/core/polling/signature.ts';
import { defineMetrics } from '../../../src/metrics/definitions.ts';
import { Recorder } from '../../../src/metrics/recorder.ts';
import { configOf } from '../../support/config/config-of.ts';
import { causeOf, diagnosisOf } from '../../support/checks/diagnosis-of.ts';
import { parseExposition } from '../../support/monitoring/exposition.ts';
import { endpoint, path, round } from '../../support/checks/observed.ts';
import { shippedCatalogue } from '../../support/logs/signature-catalogue.ts';

const NOTHING_JUDGED = { assessments: [], tls: [] };

let config: Config;
let signatures: SignatureSet;
let registry: Registry;
let recorder: Recorder;

beforeAll(async () => {
  config = await configOf(
    'appliances: [{ name: fac-1, serial: FACVM0000000001, licenses: [EFTM000000000001, EFTM000000000002] }]\n' +
      'registration: { user: api, passwordEnv: SET_SECRET }',
  );
  signatures = await shippedCatalogue();
});

beforeEach(() => {
  registry = new Registry();
  recorder = new Recorder(defineMetrics(registry));
  recorder.expect({
    config,
    signatures,
    probes: [{ probe: 'tcp', target: 'server.test:443' }],
    judged: ['server.test:443'],
  });
});

/** Returns the values of a metric by its label values, in the order of the label names. */
async function values(name: string): Promise<Readonly<Record<string, number>>> {
  const series = parseExposition(await registry.metrics()).filter((each) => each.name === name);
  return Object.fromEntries(
    series.map(({ labels, value }) => [
      Object.keys(labels)
        .toSorted()
        .map((key) => labels[key])
        .join(' '),
      value,
    ]),
  );
}

describe('readiness', () => {
  test('is absent until it is known, and again when it is not', async () => {
    expect(await values('ftm_activation_ready')).toEqual({});
    recorder.diagnosed(diagnosisOf(0, []), config);
    expect(await values('ftm_activation_ready')).toEqual({ '': 1 });
    recorder.diagnosed(diagnosisOf(0, [causeOf('tls-blocked')]), config);
    expect(await values('ftm_activation_ready')).toEqual({ '': 0 });
    recorder.diagnosed({ ...diagnosisOf(0, []), ready: 'unknown' }, config);
    expect(await values('ftm_activation_ready')).toEqual({});
  });

  test('is forgotten with the configuration that it was measured under', async () => {
    recorder.diagnosed(diagnosisOf(0, []), config);
    recorder.expect({ config, signatures, probes: [], judged: [] });
    expect(await values('ftm_activation_ready')).toEqual({});
    expect(await values('ftm_precondition_state')).toMatchObject({ 'internet unknown': 1, 'internet ok': 0 });
  });
});

describe('an answer of a resolver', () => {
  const answer: DnsReply = {
    kind: 'answer',
    rcode: 'NOERROR',
    addresses: ['173.243.138.84'],
    cnames: [],
    ttlSeconds: 300,
    durationMs: 1,
    attempts: 1,
  };
  const asked = (a: DnsReply) =>
    round({ licenseServer: path({ names: [{ resolver: 'system', name: 'server.test', a, aaaa: a }] }) });

  test('has its time to live, and is expected or not', async () => {
    recorder.measured(asked(answer), NOTHING_JUDGED, config);
    expect(await values('ftm_dns_answer_ttl_seconds')).toEqual({ system: 300 });
    expect(await values('ftm_dns_answers_expected')).toEqual({ system: 1 });
    recorder.measured(asked({ ...answer, addresses: ['173.243.138.84', '192.0.2.66'] }), NOTHING_JUDGED, config);
    expect(await values('ftm_dns_answers_expected')).toEqual({ system: 0 });
  });

  test('is expected with what a DNS64 makes of an expected address', async () => {
    const addresses = ['173.243.138.84', '2620:101:9064::adf3:8a54'];
    recorder.measured(asked({ ...answer, addresses }), NOTHING_JUDGED, config);
    expect(await values('ftm_dns_answers_expected')).toEqual({ system: 1 });
    recorder.measured(asked({ ...answer, addresses: [...addresses, '2620:101:9064::1'] }), NOTHING_JUDGED, config);
    expect(await values('ftm_dns_answers_expected')).toEqual({ system: 0 });
  });

  test('takes both with it when it is gone', async () => {
    recorder.measured(asked(answer), NOTHING_JUDGED, config);
    recorder.measured(
      asked({ kind: 'failed', reason: 'timeout', message: '', durationMs: 3_000, attempts: 2 }),
      NOTHING_JUDGED,
      config,
    );
    expect(await values('ftm_dns_answer_ttl_seconds')).toEqual({});
    expect(await values('ftm_dns_answers_expected')).toEqual({});
  });
});

describe('licences', () => {
  test('are absent when they could not be judged', async () => {
    recorder.diagnosed(diagnosisOf(0, []), config);
    expect(await values('ftm_license_assigned')).toEqual({ 'fac-1 EFTM000000000001': 1, 'fac-1 EFTM000000000002': 1 });
    recorder.diagnosed(diagnosisOf(0, [], { 'license-assignment': 'unknown' }), config);
    expect(await values('ftm_license_assigned')).toEqual({});
  });
});

describe('incidents', () => {
  const open = (subject: string) => ({
    status: 'open' as const,
    openedAt: 0,
    cause: causeOf('appliance-unreachable', { subject }),
  });

  test('have a series each while they are open, and none afterwards', async () => {
    recorder.incidents([open('fac-1'), open('10.0.0.9')]);
    expect(await values('ftm_incident_open')).toEqual({
      'appliance-unreachable critical fac-1': 1,
      'appliance-unreachable critical other': 1,
    });
    expect(await values('ftm_cause_active')).toMatchObject({ 'appliance-unreachable critical': 1 });
    recorder.incidents([]);
    expect(await values('ftm_incident_open')).toEqual({});
    expect(await values('ftm_cause_active')).toMatchObject({ 'appliance-unreachable critical': 0 });
  });

  test('that outlast a configuration are told again under the next', async () => {
    recorder.incidents([open('fac-1')]);
    recorder.expect({ config, signatures, probes: [], judged: [] });
    expect(await values('ftm_cause_active')).toMatchObject({ 'appliance-unreachable critical': 0 });
    recorder.incidents([open('fac-1')]);
    expect(await values('ftm_cause_active')).toMatchObject({ 'appliance-unreachable critical': 1 });
  });
});

test('a severity that a cause had by a service that is gone is gone too', async () => {
  const cause = causeOf('tls-blocked', { severity: 'warning' });
  recorder.incidents([{ status: 'open', openedAt: 0, cause }]);
  expect(await values('ftm_cause_active')).toMatchObject({ 'tls-blocked warning': 1 });
  recorder.expect({ config, signatures, probes: [], judged: [] });
  recorder.incidents([]);
  expect(Object.keys(await values('ftm_cause_active'))).not.toContain('tls-blocked warning');
});

test('a state that outlasts a configuration is unknown until it is seen again', async () => {
  const diagnosis = diagnosisOf(0, []);
  recorder.diagnosed(diagnosis, config);
  recorder.expect({ config, signatures, probes: [], judged: [] });
  expect(await values('ftm_precondition_state')).toMatchObject({ 'internet unknown': 1, 'internet ok': 0 });
  recorder.diagnosed(diagnosis, config);
  expect(await values('ftm_precondition_state')).toMatchObject({ 'internet unknown': 0, 'internet ok': 1 });
});

test('the site is named as the configuration in force names it', async () => {
  const other = await configOf('site: branch');
  recorder.expect({ config: other, signatures, probes: [], judged: [] });
  expect(await values('ftm_site_info')).toEqual({ branch: 1 });
});

describe('the log', () => {
  test('counts an error for its appliance, and one without owner as unnamed', async () => {
    for (const appliance of ['fac-1', null])
      recorder.logEvent({
        kind: 'ftm',
        appliance,
        signature: 'ftm-polling-ssl',
        at: 1_795_000_000_500,
        count: 4,
        line: 'hostile',
        reliable: false,
      });
    expect(await values('ftm_polling_errors_total')).toMatchObject({
      'fac-1 ftm-polling-ssl': 4,
      'unnamed ftm-polling-ssl': 4,
      'fac-1 ftm-polling-timeout': 0,
    });
    expect(await values('ftm_polling_last_error_timestamp_seconds')).toEqual({
      'fac-1': 1_795_000_000.5,
      unnamed: 1_795_000_000.5,
    });
    expect(await registry.metrics()).not.toContain('hostile');
  });
});

describe('a reload', () => {
  const probesOf = (count: number): { readonly probe: 'tcp'; readonly target: string }[] =>
    Array.from({ length: count }, (_, index) => ({ probe: 'tcp', target: `service-${String(index)}.test:443` }));
  const appliancesOf = (count: number): Promise<Config> =>
    configOf(
      `appliances: ${JSON.stringify(Array.from({ length: count }, (_, index) => ({ name: `fac-${String(index)}` })))}`,
    );
  const expected = async (count: number): Promise<Parameters<Recorder['expect']>[0]> => ({
    config: await appliancesOf(count),
    signatures,
    probes: probesOf(count),
    judged: probesOf(count).map(({ target }) => target),
  });
  const look = (target: string): void => {
    recorder.measured(
      round({ services: [path({ subject: target, endpoints: [{ ...endpoint('192.0.2.1'), target }] })] }),
      NOTHING_JUDGED,
      config,
    );
  };
  const names = async (): Promise<readonly string[]> =>
    parseExposition(await registry.metrics())
      .map(({ name, labels }) => `${name} ${JSON.stringify(labels)}`)
      .toSorted();

  test('has as many series as its configuration asks for: so many for each target and appliance', async () => {
    const counts = new Map<number, number>();
    for (const size of [10, 40, 400, 10]) {
      recorder.expect(await expected(size));
      counts.set(size, (await registry.metrics()).split('\n').length);
    }
    const [few = 0, some = 0, many = 0] = [10, 40, 400].map((size) => counts.get(size));
    expect((many - some) / 360).toBe((some - few) / 30);
    const after = await names();
    registry = new Registry();
    recorder = new Recorder(defineMetrics(registry));
    recorder.expect(await expected(10));
    expect(after).toEqual(await names());
  });

  test('goes on counting what both name, and forgets what the new one does not', async () => {
    recorder.expect(await expected(2));
    look('service-0.test:443');
    look('service-1.test:443');
    recorder.logEvent({
      kind: 'ftm',
      appliance: 'fac-1',
      signature: 'ftm-polling-ssl',
      at: 0,
      count: 1,
      line: '',
      reliable: false,
    });
    recorder.expect(await expected(1));
    expect(await values('ftm_probe_runs_total')).toEqual({ 'tcp service-0.test:443': 1 });
    expect(await values('ftm_polling_errors_total')).not.toHaveProperty('fac-1 ftm-polling-ssl');
    recorder.expect(await expected(2));
    expect(await values('ftm_probe_runs_total')).toEqual({ 'tcp service-0.test:443': 1, 'tcp service-1.test:443': 0 });
    expect(await values('ftm_polling_errors_total')).toHaveProperty('fac-1 ftm-polling-ssl', 0);
  });
});
