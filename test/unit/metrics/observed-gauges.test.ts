import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import type { Certificate } from '../../../src/core/certificate.ts';
import type { DnsReply, TlsOutcome } from '../../../src/core/observation.ts';
import type { ApplianceObservation } from '../../../src/core/license/appliance.ts';
import type { Picture } from '../../../src/connectors/picture.ts';
import { defineMetrics } from '../../../src/metrics/definitions.ts';
import { Recorder } from '../../../src/metrics/recorder.ts';
import { applianceFacts } from '../../support/checks/appliance-facts.ts';
import { configOf } from '../../support/config/config-of.ts';
import { shippedCatalogue } from '../../support/logs/signature-catalogue.ts';
import { parseExposition } from '../../support/monitoring/exposition.ts';
import { endpoint, failed, path, picture, round } from '../../support/checks/observed.ts';

const NOTHING_JUDGED = { assessments: [], tls: [] };
const END = 1_800_000_000;
const ANSWER: DnsReply = {
  kind: 'answer',
  rcode: 'NOERROR',
  addresses: ['192.0.2.1'],
  cnames: [],
  ttlSeconds: 300,
  durationMs: 1,
  attempts: 1,
};
const ESTABLISHED = {
  kind: 'established',
  durationMs: 1,
  chain: { certificates: [{ notAfter: END * 1000 } as Certificate], dropped: 0 },
} as unknown as TlsOutcome;
const ROUND = round({
  licenseServer: path({
    names: [{ resolver: 'system', name: 'server.test', a: ANSWER, aaaa: ANSWER }],
    endpoints: [{ ...endpoint('192.0.2.1'), tls: ESTABLISHED }],
  }),
});
const LOST_ROUND = round({ licenseServer: path({ endpoints: [endpoint('192.0.2.1', failed('timeout'))] }) });

const NAMES = [
  'ftm_tls_certificate_not_after_timestamp_seconds',
  'ftm_dns_answer_ttl_seconds',
  'ftm_dns_answers_expected',
  'ftm_tokens',
  'ftm_tokens_locked',
  'ftm_tokens_licensed',
  'ftm_peer_readable',
];

interface Bench {
  readonly recorder: Recorder;
  readonly config: Config;
  readonly seen: Picture;
  readonly lost: Picture;
  /** Returns the names of the gauges that have a series. */
  readonly names: () => Promise<readonly string[]>;
}

async function bench(): Promise<Bench> {
  const registry = new Registry();
  const names = async (): Promise<readonly string[]> => {
    const told = new Set(parseExposition(await registry.metrics()).map(({ name }) => name));
    return NAMES.filter((name) => told.has(name));
  };
  const config = await configOf('{ appliances: [{ name: fac-1 }] }');
  const units = (rest: ApplianceObservation): Picture['appliances'] =>
    config.appliances.map((unit) => ({ config: unit, rest, role: null }));
  return {
    recorder: new Recorder(defineMetrics(registry)),
    config,
    seen: picture({
      appliances: units(applianceFacts()),
      peers: [{ kind: 'seen', peer: 'dmz', at: 0, preconditions: [], causes: [] }],
    }),
    lost: picture({ appliances: units({ ...applianceFacts(), ...failed('timeout') }) }),
    names,
  };
}

test('every gauge has a series when its facts tell it, and none before', async () => {
  const { recorder, config, seen, names } = await bench();
  expect(await names()).toEqual([]);
  recorder.measured(ROUND, NOTHING_JUDGED, config);
  recorder.units(seen);
  expect(await names()).toEqual(NAMES);
});

test('what the facts do not tell any more is gone, but for what stays until it is told again', async () => {
  const { recorder, config, seen, lost, names } = await bench();
  recorder.measured(ROUND, NOTHING_JUDGED, config);
  recorder.units(seen);
  recorder.measured(LOST_ROUND, NOTHING_JUDGED, config);
  recorder.units(lost);
  expect(await names()).toEqual(['ftm_tls_certificate_not_after_timestamp_seconds']);
});

test('a round leaves the gauges of what is asked more slowly alone', async () => {
  const { recorder, config, seen, names } = await bench();
  recorder.measured(ROUND, NOTHING_JUDGED, config);
  recorder.units(seen);
  recorder.measured(LOST_ROUND, NOTHING_JUDGED, config);
  expect(await names()).toEqual([
    'ftm_tls_certificate_not_after_timestamp_seconds',
    'ftm_tokens',
    'ftm_tokens_locked',
    'ftm_tokens_licensed',
    'ftm_peer_readable',
  ]);
});

test('under another configuration all of them are gone', async () => {
  const { recorder, config, seen, names } = await bench();
  recorder.measured(ROUND, NOTHING_JUDGED, config);
  recorder.units(seen);
  recorder.expect({ config, signatures: await shippedCatalogue(), probes: [], judged: [] });
  expect(await names()).toEqual([]);
});
