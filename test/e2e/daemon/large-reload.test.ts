import { afterAll, beforeAll, expect, test } from 'vitest';

import { createDaemonBench, metricsOf, type DaemonBench } from '../../support/process/daemon-bench.ts';
import { parseExposition } from '../../support/monitoring/exposition.ts';
import { createTcpPeer, type Peer } from '../../support/network/tls-peer.ts';
import { until } from '../../support/time/until.ts';

const WITHIN = 15_000;

let site: DaemonBench;
let silent: Peer;

beforeAll(async () => {
  site = await createDaemonBench();
  // Reads, so that it detects closed connections, and sends nothing.
  silent = await createTcpPeer((socket) => {
    socket.resume();
  }, '0.0.0.0');
});

afterAll(async () => {
  await silent[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});

/** Configures this many services, each at a separate address, and as many appliances. */
async function configure(count: number): Promise<void> {
  const numbers = Array.from({ length: count }, (_, index) => index);
  await site.configure({
    services: numbers.map((number) => ({
      name: `service-${String(number)}`,
      host: `127.2.${String(Math.floor(number / 250))}.${String((number % 250) + 1)}`,
      port: silent.port,
    })),
    appliances: numbers.map((number) => ({ name: `fac-${String(number)}` })),
  });
}

test('a reload from 200 targets to ten lets go of the connections and the series of the others', async () => {
  await configure(200);
  await using daemon = site.start();
  const page = await daemon.page();
  await until(
    () => Promise.resolve(silent.seen),
    (seen) => seen >= 50,
    WITHIN,
  );
  const seriesOf = async (): Promise<readonly string[]> => {
    const series = parseExposition(await metricsOf(page));
    return [...new Set(series.flatMap(({ labels: { target, appliance } }) => target ?? appliance ?? []))];
  };
  expect((await seriesOf()).length).toBeGreaterThanOrEqual(400);

  await configure(10);
  daemon.signal('SIGHUP');
  await daemon.logged('configuration-reloaded');
  await until(
    () => Promise.resolve(silent.open),
    (open) => open <= 10,
    WITHIN,
  );
  const names = await seriesOf();
  expect(names.filter((name) => name.startsWith('127.2.'))).toHaveLength(10);
  expect(names.filter((name) => name.startsWith('fac-'))).toHaveLength(10);
});
