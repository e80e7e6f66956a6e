import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { defineMetrics } from '../../src/metrics/definitions.ts';
import { Recorder } from '../../src/metrics/recorder.ts';
import { createScrape } from '../../src/metrics/scrape.ts';
import { configOf } from '../../test/support/config/config-of.ts';
import { shippedCatalogue } from '../../test/support/logs/signature-catalogue.ts';
import type { Size } from './configuration.ts';

const TIMES = 20;
const RESOLUTION_MS = 1;

/** Longest time for which one scrape blocks the event loop, in milliseconds: the median of several scrapes. */
export async function scrapeBlock({ targets, appliances }: Pick<Size, 'targets' | 'appliances'>): Promise<number> {
  const registry = new Registry();
  const metrics = defineMetrics(registry);
  const names = Array.from({ length: appliances }, (_, index) => ({ name: `fac-${String(index)}` }));
  const hosts = Array.from({ length: targets }, (_, index) => `service-${String(index)}.example.test:443`);
  new Recorder(metrics).expect({
    config: await configOf(`appliances: ${JSON.stringify(names)}`),
    signatures: await shippedCatalogue(),
    probes: hosts.flatMap((target) => ['tcp', 'tls', 'http'].map((probe) => ({ probe, target }))),
    judged: hosts,
  });
  const scrape = createScrape(registry, metrics);
  const scraped: Parameters<typeof scrape.read>[0] = {
    logCounters: () => null,
    alerting: { pending: () => ({}), inMaintenance: () => false },
    readiness: () => 'unknown',
    store: { writable: () => true, newer: () => null },
  };
  const longest: number[] = [];
  for (let time = 0; time < TIMES; time += 1) longest.push(await longestTurn(() => scrape.read(scraped)));
  return longest.toSorted((a, b) => a - b)[TIMES / 2] ?? Number.NaN;
}

async function longestTurn(work: () => Promise<unknown>): Promise<number> {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  await work();
  // Waits for another sample, so that the last block is counted.
  await sleep(2 * RESOLUTION_MS);
  delay.disable();
  return Math.max(0, delay.max / 1e6 - RESOLUTION_MS);
}
