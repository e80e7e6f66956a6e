import { Registry } from 'prom-client';
import { beforeEach, describe, expect, test } from 'vitest';
import { defineMetrics, type Metrics } from '../../../src/metrics/definitions.ts';
import { Recorder } from '../../../src/metrics/recorder.ts';
import { CHANNEL_IDS } from '../../../src/notify/channels/registry.ts';
import { applianceFacts } from '../../support/checks/appliance-facts.ts';
import { configOf } from '../../support/config/config-of.ts';
import { picture } from '../../support/checks/observed.ts';
import { parseExposition, type Series } from '../../support/monitoring/exposition.ts';
import { shippedCatalogue } from '../../support/logs/signature-catalogue.ts';

const JUDGED = 'host.test:443';

let registry: Registry;
let metrics: Metrics;
let recorder: Recorder;
beforeEach(() => {
  registry = new Registry();
  metrics = defineMetrics(registry);
  recorder = new Recorder(metrics);
});

async function expectFor(text: string, judged: readonly string[] = [JUDGED]): Promise<void> {
  recorder.expect({ config: await configOf(text), signatures: await shippedCatalogue(), probes: [], judged });
}

async function series(name: string): Promise<readonly Series[]> {
  return parseExposition(await registry.metrics()).filter((each) => each.name === name);
}

const NOTHING = 'appliances: []';
const ONE_APPLIANCE = 'appliances: [{ name: fac-1 }]';

describe('from the start', () => {
  beforeEach(async () => {
    await expectFor(ONE_APPLIANCE);
  });

  test('every state and verdict is there, and only "unknown" is set', async () => {
    for (const [name, label] of [
      ['ftm_precondition_state', 'state'],
      ['ftm_tls_verdict', 'verdict'],
    ] as const) {
      const all = await series(name);
      expect(new Set(all.filter(({ value }) => value === 1).map(({ labels }) => labels[label]))).toEqual(
        new Set(['unknown']),
      );
      expect(new Set(all.filter(({ value }) => value === 0).map(({ labels }) => labels[label])).size).toBeGreaterThan(
        3,
      );
    }
  });

  test('every channel is there at zero, with each result', async () => {
    const sent = await series('ftm_notifications_total');
    expect(sent.map(({ labels }) => `${String(labels['channel'])} ${String(labels['result'])}`).toSorted()).toEqual(
      CHANNEL_IDS.toSorted().flatMap((channel) =>
        ['expired', 'failed', 'rejected', 'sent'].map((result) => `${channel} ${result}`),
      ),
    );
    const others = [
      ...(await series('ftm_notifications_pending')),
      ...(await series('ftm_notification_last_success_timestamp_seconds')),
    ];
    expect(others).toHaveLength(2 * CHANNEL_IDS.length);
    expect([...sent, ...others].filter(({ value }) => value !== 0)).toEqual([]);
  });

  test('errors of a log are counted for signatures of messages only, and for nobody as well', async () => {
    const errors = await series('ftm_polling_errors_total');
    const { signatures } = await shippedCatalogue();
    // Signatures that only `explain` uses are never counted.
    const messages = signatures
      .filter((signature) => signature.kind === 'message' && signature.explainOnly !== true)
      .map(({ id }) => id);
    expect(messages.length).toBeLessThan(signatures.length);
    for (const appliance of ['fac-1', 'unnamed'])
      expect(
        errors.filter(({ labels }) => labels['appliance'] === appliance).map(({ labels }) => labels['signature']),
      ).toEqual(messages);
    expect((await series('ftm_polling_last_error_timestamp_seconds')).map(({ value }) => value)).toEqual([0, 0]);
  });
});

test('a cause is there at its own severity, and at those of the services', async () => {
  const severitiesOf = async (cause: string): Promise<readonly unknown[]> =>
    (await series('ftm_cause_active'))
      .filter(({ labels }) => labels['cause'] === cause)
      .map(({ labels }) => labels['severity']);
  await expectFor(NOTHING);
  expect(await severitiesOf('tls-intercepted')).toEqual(['critical']);
  expect(await severitiesOf('license-expires-in-7-days')).toEqual(['warning', 'critical']);
  metrics.causeActive.set({ cause: 'tls-intercepted', severity: 'critical' }, 1);
  await expectFor('services: [{ name: push, host: push.test, severity: warning }]');
  expect(await severitiesOf('tls-intercepted')).toEqual(['critical', 'warning']);
  expect((await series('ftm_cause_active')).filter(({ value }) => value !== 0)).toEqual([]);
  await expectFor(NOTHING);
  expect(await severitiesOf('tls-intercepted')).toEqual(['critical']);
});

test('with the configuration everything that was measured under it goes, and what was counted stays', async () => {
  await expectFor(ONE_APPLIANCE);
  metrics.activationReady.set(1);
  metrics.probeSuccess.set({ probe: 'tcp', target: JUDGED }, 1);
  const config = await configOf(ONE_APPLIANCE);
  const appliances = config.appliances.map((unit) => ({ config: unit, rest: applianceFacts(), role: null }));
  recorder.units(picture({ appliances }));
  metrics.licenseAssigned.set({ appliance: 'fac-1', license: 'EFTM000000000001' }, 1);
  metrics.logLastReceived.set({ appliance: 'fac-1' }, 5);
  metrics.pollingErrors.inc({ appliance: 'fac-1', signature: 'ftm-polling-ssl' }, 2);
  metrics.pollingLastError.set({ appliance: 'fac-1' }, 5);
  await expectFor(ONE_APPLIANCE, []);
  const names = new Set(parseExposition(await registry.metrics()).map(({ name }) => name));
  for (const gone of [
    'ftm_activation_ready',
    'ftm_probe_success',
    'ftm_tls_verdict',
    'ftm_tokens',
    'ftm_tokens_locked',
    'ftm_tokens_licensed',
    'ftm_license_assigned',
    'ftm_log_last_received_timestamp_seconds',
  ])
    expect([gone, names.has(gone)]).toEqual([gone, false]);
  expect((await series('ftm_polling_last_error_timestamp_seconds')).map(({ value }) => value)).toEqual([0, 0]);
  expect((await series('ftm_polling_errors_total')).map(({ value }) => value)).toContain(2);
});

test('counts of an appliance go only with its name', async () => {
  await expectFor('appliances: [{ name: fac-1 }, { name: fac-2 }]');
  await expectFor('appliances: [{ name: fac-2 }]');
  expect(new Set((await series('ftm_polling_errors_total')).map(({ labels }) => labels['appliance']))).toEqual(
    new Set(['fac-2', 'unnamed']),
  );
});
