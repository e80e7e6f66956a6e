import { configOf } from '../config/config-of.ts';
import { systemClock } from '../../../src/system/clock.ts';
import type { Config } from '../../../src/config/config.ts';
import { createInstruments } from '../../../src/round/instruments.ts';
import { createProbesOnDemand, type ProbesOnDemand } from '../../../src/runtime/probe-on-demand.ts';
import { createHierarchy, type Hierarchy } from '../certificates/hierarchy.ts';
import { createDnsServer, type DnsServer, zone } from '../network/dns-server.ts';
import { createTlsPeer, type Peer } from '../network/tls-peer.ts';
import { startWeb, type WebBench } from './web-bench.ts';

export const LICENSE_HOST = 'license.example.test';

/** A licence server, a resolver that resolves it, and the web server whose `/probe` really checks them. */
export interface ProbeBench extends AsyncDisposable {
  readonly config: Config;
  readonly web: WebBench;
  readonly resolver: DnsServer;
  readonly licenseServer: Peer;
  readonly hierarchy: Hierarchy;
  readonly probes: ProbesOnDemand;
  probe(query: string, headers?: Readonly<Record<string, string>>): Promise<ProbeReply>;
}

export interface ProbeReply {
  readonly status: number;
  readonly text: string;
  /** By name, including labels. */
  readonly metrics: ReadonlyMap<string, number>;
}

const ANSWER = 'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno';

/** @param more sections of the configuration, in addition to the licence server and the resolver */
export async function startProbeBench(more: object = {}): Promise<ProbeBench> {
  const hierarchy = await createHierarchy();
  const licenseServer = await createTlsPeer({
    chain: [hierarchy.leaf, hierarchy.intermediate],
    serve: (socket) => socket.once('data', () => socket.end(ANSWER)),
  });
  const address = { type: 'A', name: LICENSE_HOST, ttl: 60, data: '127.0.0.1' } as const;
  const resolver = await createDnsServer(zone({ [LICENSE_HOST]: [address] }));
  const config = await configOf({
    licenseServer: { host: LICENSE_HOST, port: licenseServer.port, expectedAddresses: ['127.0.0.1'] },
    trust: { profile: 'pinned', pins: [hierarchy.intermediate.pin] },
    resolvers: [`udp://127.0.0.1:${String(resolver.port)}`],
    controlHosts: [],
    ...more,
  });
  const probes = createProbesOnDemand(await createInstruments(config, { clock: systemClock, env: {} }));
  const web = await startWeb({ state: { probe: (request, signal) => probes.probe(request, signal) } });
  return {
    config,
    web,
    resolver,
    licenseServer,
    hierarchy,
    probes,
    probe: async (query, headers = {}) => {
      const response = await web.get(`/probe?${query}`, { headers });
      const text = await response.text();
      return { status: response.status, text, metrics: probeMetrics(text) };
    },
    [Symbol.asyncDispose]: async () => {
      probes.stop();
      await web[Symbol.asyncDispose]();
      await licenseServer[Symbol.asyncDispose]();
      await resolver[Symbol.asyncDispose]();
    },
  };
}

function probeMetrics(text: string): ReadonlyMap<string, number> {
  return new Map(
    [...text.matchAll(/^(probe_\w+(?:\{[^}]*\})?) (\S+)$/gmu)].map(([, name = '', value]) => [name, Number(value)]),
  );
}
