import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import type { Certificate } from '../../../src/core/certificate.ts';
import type { DnsReply, TlsOutcome } from '../../../src/core/observation.ts';
import { createSourceGauges, type SourceGauges } from '../../../src/metrics/definitions.ts';
import { applianceFacts } from '../../support/appliance-facts.ts';
import { configOf } from '../../support/config-of.ts';
import { parseExposition } from '../../support/exposition.ts';
import { endpoint, failed, path, round } from '../../support/observed.ts';

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
  chain: { certificates: [{ notAfter: END * 1000 } as Certificate], dropped: 0 },
} as unknown as TlsOutcome;
const SEEN = {
  ...round({
    licenseServer: path({
      names: [{ resolver: 'system', name: 'server.test', a: ANSWER, aaaa: ANSWER }],
      endpoints: [{ ...endpoint('192.0.2.1'), tls: ESTABLISHED }],
    }),
  }),
  appliances: [{ config: { name: 'fac-1' }, rest: applianceFacts(), role: null }],
  peers: [{ kind: 'seen' as const, peer: 'dmz', at: 0, preconditions: [], causes: [] }],
};
const LOST = {
  ...round({ licenseServer: path({ endpoints: [endpoint('192.0.2.1', failed('timeout'))] }) }),
  appliances: [{ config: { name: 'fac-1' }, rest: failed('timeout'), role: null }],
  peers: [],
};
const NAMES = SOURCES.flatMap((source) => ('metrics' in source ? (source.metrics?.gauges ?? []) : [])).map(
  ({ name }) => name,
);

interface Bench {
  readonly gauges: SourceGauges;
  readonly config: Config;
  /** The names of the gauges that have a series. */
  readonly names: () => Promise<readonly string[]>;
}

async function bench(): Promise<Bench> {
  const registry = new Registry();
  const names = async (): Promise<readonly string[]> => {
    const told = new Set(parseExposition(await registry.metrics()).map(({ name }) => name));
    return NAMES.filter((name) => told.has(name));
  };
  return { gauges: createSourceGauges(registry), config: await configOf('{}'), names };
}

test('every gauge of a source has a series when its facts tell it, and none before', async () => {
  const { gauges, config, names } = await bench();
  expect(await names()).toEqual([]);
  gauges.take(SEEN, config);
  expect(NAMES).toHaveLength(7);
  expect(await names()).toEqual(NAMES);
});

test('what the facts do not tell any more is gone, but for what stays until it is told again', async () => {
  const { gauges, config, names } = await bench();
  gauges.take(SEEN, config);
  gauges.take(LOST, config);
  expect(await names()).toEqual(['ftm_tls_certificate_not_after_timestamp_seconds']);
});

test('the facts of one source leave the gauges of the others alone', async () => {
  const { gauges, config, names } = await bench();
  gauges.take(SEEN, config);
  gauges.take({ path: LOST.path }, config);
  expect(await names()).toEqual([
    'ftm_tls_certificate_not_after_timestamp_seconds',
    'ftm_tokens',
    'ftm_tokens_locked',
    'ftm_tokens_licensed',
    'ftm_peer_readable',
  ]);
});

test('under another configuration all of them are gone', async () => {
  const { gauges, config, names } = await bench();
  gauges.take(SEEN, config);
  gauges.forget();
  expect(await names()).toEqual([]);
});
