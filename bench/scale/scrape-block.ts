import { Registry } from 'prom-client';
import { defineMetrics } from '../../src/metrics/definitions.ts';
import { Recorder } from '../../src/metrics/recorder.ts';
import { createScrape } from '../../src/metrics/scrape.ts';
import { configOf } from '../../test/support/config-of.ts';
import { shippedCatalogue } from '../../test/support/signature-catalogue.ts';
import type { Size } from './configuration.ts';

const TIMES = 20;

/** The longest time for which one scrape lets nothing else have its turn: the median of some, in milliseconds. */
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
  const scrape = createScrape(registry, metrics, () => ({
    logCounters: () => null,
    alerting: { pending: () => ({}), inMaintenance: () => false },
    store: { writable: () => true, newer: () => null },
  }));
  const longest: number[] = [];
  for (let time = 0; time < TIMES; time += 1) longest.push(await longestTurn(() => scrape.read()));
  return longest.toSorted((a, b) => a - b)[TIMES / 2] ?? Number.NaN;
}

async function longestTurn(work: () => Promise<unknown>): Promise<number> {
  let [last, longest, isOver] = [performance.now(), 0, false];
  const turn = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  isOver = true;
  return longest;
}
