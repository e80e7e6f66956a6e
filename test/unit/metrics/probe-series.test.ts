import { Registry } from 'prom-client';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import type { Certificate } from '../../../src/core/certificate.ts';
import type { HttpOutcome, TlsOutcome } from '../../../src/core/observation.ts';
import type { SignatureSet } from '../../../src/core/polling/signature.ts';
import { defineMetrics } from '../../../src/metrics/definitions.ts';
import { Recorder } from '../../../src/metrics/recorder.ts';
import { configOf } from '../../support/config/config-of.ts';
import { parseExposition } from '../../support/monitoring/exposition.ts';
import { endpoint, failed, open, path, round } from '../../support/checks/observed.ts';
import { shippedCatalogue } from '../../support/logs/signature-catalogue.ts';

/** An address that was checked completely. */
const ANSWERED = {
  ...endpoint('192.0.2.1'),
  tls: {
    kind: 'established',
    durationMs: 40,
    chain: { certificates: [{ notAfter: 1_800_000_000_000 } as Certificate], dropped: 0 },
  } as unknown as TlsOutcome,
  http: { kind: 'response', status: 200, durationMs: 40 } as unknown as HttpOutcome,
};
const NOTHING_JUDGED = { assessments: [], tls: [] };

let config: Config;
let signatures: SignatureSet;
let registry: Registry;
let recorder: Recorder;

beforeAll(async () => {
  config = await configOf('{}');
  signatures = await shippedCatalogue();
});

beforeEach(() => {
  registry = new Registry();
  recorder = new Recorder(defineMetrics(registry));
  recorder.expect({ config, signatures, probes: [{ probe: 'tcp', target: 'server.test:443' }], judged: [] });
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

describe('probes', () => {
  const twoAddresses = round({
    licenseServer: path({ endpoints: [endpoint('192.0.2.1'), endpoint('192.0.2.2', failed('timeout'))] }),
  });

  test('succeed for a target when all of its addresses answer', async () => {
    recorder.measured(twoAddresses, NOTHING_JUDGED, config);
    expect(await values('ftm_probe_success')).toEqual({ 'tcp server.test:443': 0 });
    expect(await values('ftm_probe_runs_total')).toEqual({ 'tcp server.test:443': 2 });
    recorder.measured(
      round({ licenseServer: path({ endpoints: [endpoint('192.0.2.1', open())] }) }),
      NOTHING_JUDGED,
      config,
    );
    expect(await values('ftm_probe_success')).toEqual({ 'tcp server.test:443': 1 });
  });

  test('are counted by the reason of their failure, the usual ones from the start', async () => {
    expect(await values('ftm_probe_failures_total')).toEqual({
      'tcp timeout server.test:443': 0,
      'tcp refused server.test:443': 0,
    });
    recorder.measured(twoAddresses, NOTHING_JUDGED, config);
    expect(await values('ftm_probe_failures_total')).toEqual({
      'tcp timeout server.test:443': 1,
      'tcp refused server.test:443': 0,
    });
  });

  test('that fail in an unusual way are at zero in one scrape before they count', async () => {
    const failing = round({ licenseServer: path({ endpoints: [endpoint('192.0.2.1', failed('no-route'))] }) });
    const unusual = async (): Promise<number | undefined> =>
      (await values('ftm_probe_failures_total'))['tcp no-route server.test:443'];
    const early = recorder.scraping();
    recorder.measured(failing, NOTHING_JUDGED, config);
    recorder.measured(failing, NOTHING_JUDGED, config);
    // A scrape that began before the series existed did not include it.
    early();
    expect(await unusual()).toBe(0);
    const scraped = recorder.scraping();
    recorder.measured(failing, NOTHING_JUDGED, config);
    scraped();
    expect(await unusual()).toBe(3);
    recorder.measured(failing, NOTHING_JUDGED, config);
    expect(await unusual()).toBe(4);
  });

  test('take at most 40 series for a target', async () => {
    const count = async (targets: readonly string[]): Promise<number> => {
      registry = new Registry();
      recorder = new Recorder(defineMetrics(registry));
      const probes = targets.flatMap((target) => ['tcp', 'tls', 'http'].map((probe) => ({ probe, target })));
      recorder.expect({ config, signatures, probes, judged: targets });
      const whole = (target: string) => path({ subject: target, endpoints: [{ ...ANSWERED, target }] });
      recorder.measured(round({ services: targets.map(whole) }), NOTHING_JUDGED, config);
      return parseExposition(await registry.metrics()).length;
    };
    const one = (await count(['a.test:443', 'b.test:443'])) - (await count(['a.test:443']));
    expect(one).toBeGreaterThan(30);
    expect(one).toBeLessThanOrEqual(40);
  });
});
