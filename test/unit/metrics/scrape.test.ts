import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { beforeEach, expect, test } from 'vitest';

import { CONNECTION_RESULTS, LOG_RESULTS } from '../../../src/core/polling/log-event.ts';
import { defineMetrics } from '../../../src/metrics/definitions.ts';
import { createScrape, type Scrape } from '../../../src/metrics/scrape.ts';
import type { Readiness } from '../../../src/engine/model.ts';
import { parseExposition } from '../../support/monitoring/exposition.ts';

type LogCounts = NonNullable<ReturnType<Scraped['logCounters']>>;
type Scraped = Parameters<Scrape['read']>[0];

const NONE = Object.fromEntries(LOG_RESULTS.map((result) => [result, 0])) as LogCounts['lines']['udp'];

const NO_CONNECTIONS = Object.fromEntries(CONNECTION_RESULTS.map((result) => [result, 0])) as LogCounts['connections'];

interface Intake extends Scraped {
  count: number;
}

function intake(): Intake {
  return {
    count: 0,
    logCounters(): LogCounts {
      const udp = { ...NONE, ftm: this.count };
      return {
        lines: { udp, tcp: NONE, tls: NONE, file: NONE },
        connections: { ...NO_CONNECTIONS, accepted: this.count, open: 2 },
        lastReceivedAt: new Map([['fac-1', 1_795_000_000_000]]),
      };
    },
    alerting: { pending: () => ({ email: 3 }), inMaintenance: () => isMaintained },
    store: { writable: () => isWritable, newer: () => (isWritable ? null : 'put the newer one back') },
    readiness: () => ready,
  };
}

let registry: Registry;
let scrape: Scrape;
let current: Scraped;
let isWritable: boolean;
let isMaintained: boolean;
let ready: Readiness;

beforeEach(() => {
  registry = new Registry();
  isWritable = true;
  isMaintained = false;
  ready = 'ready';
  scrape = createScrape(registry, defineMetrics(registry));
});

async function value(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number | undefined> {
  const { body } = await scrape.read(current);
  return parseExposition(body).find(
    (series) => series.name === name && Object.entries(labels).every(([key, text]) => series.labels[key] === text),
  )?.value;
}

const LINES = ['ftm_log_lines_total', { source: 'udp', result: 'ftm' }] as const;

test('brings the counter to what the intake has counted, at each scrape', async () => {
  const first = intake();
  current = first;
  first.count = 5;
  expect(await value(...LINES)).toBe(5);
  expect(await value(...LINES)).toBe(5);
  first.count = 7;
  expect(await value(...LINES)).toBe(7);
  expect(await value('ftm_log_connections_total', { result: 'accepted' })).toBe(7);
  expect(await value('ftm_log_connections_open')).toBe(2);
});

test('readiness is absent while nobody knows it', async () => {
  current = intake();
  const values: (number | undefined)[] = [];
  for (ready of ['ready', 'unknown', 'not-ready'] as const) values.push(await value('ftm_activation_ready'));
  expect(values).toEqual([1, undefined, 0]);
});

test('goes on counting when another intake takes its place, with the last lines of the old one', async () => {
  const [first, second] = [intake(), intake()];
  current = first;
  first.count = 5;
  expect(await value(...LINES)).toBe(5);
  first.count = 6;
  scrape.takeCounts(first);
  // With a scrape in between, and a higher count in the new intake than in the old one.
  expect(await value(...LINES)).toBe(6);
  current = second;
  second.count = 10;
  expect(await value(...LINES)).toBe(16);
});

test('is content with an intake that does not listen', async () => {
  current = { ...intake(), logCounters: () => null };
  expect(await value(...LINES)).toBeUndefined();
  expect(await value('ftm_notifications_pending', { channel: 'email' })).toBe(3);
});

test('has the time in seconds, whether history can be written, and whether a maintenance window is open', async () => {
  current = intake();
  expect(await value('ftm_log_last_received_timestamp_seconds', { appliance: 'fac-1' })).toBe(1_795_000_000);
  expect([await value('ftm_store_writable'), await value('ftm_store_newer')]).toEqual([1, 0]);
  isWritable = false;
  expect([await value('ftm_store_writable'), await value('ftm_store_newer')]).toEqual([0, 1]);
  expect(await value('ftm_maintenance_active')).toBe(0);
  isMaintained = true;
  expect(await value('ftm_maintenance_active')).toBe(1);
});

test('writes what prom-client writes, and lets other work in between', async () => {
  current = intake();
  const registers = [registry];
  const large = new Gauge({ registers, name: 'large', help: 'A "help" with \\ and\na line', labelNames: ['target'] });
  for (let index = 0; index < 10_000; index += 1) large.set({ target: String(index) }, index);
  const labelNames = ['a', 'b'];
  const odd = new Gauge({ registers, name: 'odd', help: 'Odd', labelNames });
  for (const [index, value] of [0, 1.5, -1.5e-9, Infinity, -Infinity, 1e21].entries())
    odd.set({ a: `quote " back \\ line \n ${String(index)}`, b: index }, value);
  new Gauge({ registers, name: 'empty', help: 'No series', labelNames });
  new Counter({ registers, name: 'counted_total', help: 'Counter', labelNames }).inc({ a: 'ä' }, 3);
  const histogram = new Histogram({ registers, name: 'took', help: 'H', labelNames, buckets: [0.05, 1] });
  for (let index = 0; index < 700; index += 1) histogram.observe({ a: String(index) }, index / 100);
  let turns = 0;
  let isDone = false;
  const count = (): void => {
    turns += 1;
    if (!isDone) setImmediate(count);
  };
  setImmediate(count);
  const { body, contentType } = await scrape.read(current);
  isDone = true;
  expect(body).toBe(await registry.metrics());
  expect(contentType).toBe(registry.contentType);
  expect(turns).toBeGreaterThanOrEqual(registry.getMetricsAsArray().length + 20);
  odd.set({ a: 'x', b: 9 }, Number.NaN);
  // prom-client writes "Nan".
  expect((await scrape.read(current)).body).toContain('odd{a="x",b="9"} NaN\n');
});

test('has what every exporter tells of its process, and counts its time once', async () => {
  current = intake();
  const first = (await value('process_cpu_seconds_total')) ?? 0;
  const second = (await value('process_cpu_seconds_total')) ?? 0;
  expect(first).toBeGreaterThan(0);
  expect(second - first).toBeLessThan(first);
  expect(await value('nodejs_version_info', { version: process.version })).toBe(1);
  expect(await value('process_resident_memory_bytes')).toBeGreaterThan(1e6);
  expect(await value('nodejs_heap_size_used_bytes')).toBeGreaterThan(1e6);
});

test('names its process as prom-client does, so that dashboards for Node.js fit', () => {
  const usual = new Registry();
  collectDefaultMetrics({ register: usual });
  const known = new Set(usual.getMetricsAsArray().map(({ name }) => name));
  const own = registry.getMetricsAsArray().filter(({ name }) => /^(?:nodejs|process)_/u.test(name));
  expect(own).toHaveLength(10);
  expect(own.filter(({ name }) => !known.has(name))).toEqual([]);
});
