import { Registry } from 'prom-client';
import { beforeEach, expect, test } from 'vitest';

import { LOG_RESULTS } from '../../../src/core/polling/log-event.ts';
import { defineMetrics } from '../../../src/metrics/definitions.ts';
import { createScrape, type CountingIntake, type LogCounts, type Scrape } from '../../../src/metrics/scrape.ts';
import { parseExposition } from '../../support/exposition.ts';

const NONE = Object.fromEntries(LOG_RESULTS.map((result) => [result, 0])) as LogCounts['lines']['udp'];

interface Intake extends CountingIntake {
  count: number;
}

function intake(): Intake {
  return {
    count: 0,
    logCounters(): LogCounts {
      const udp = { ...NONE, ftm: this.count };
      return {
        lines: { udp, tcp: NONE, tls: NONE, file: NONE },
        lastReceivedAt: new Map([['fac-1', 1_795_000_000_000]]),
      };
    },
  };
}

let scrape: Scrape;
let current: CountingIntake;
let isWritable: boolean;
let isMaintained: boolean;

beforeEach(() => {
  const registry = new Registry();
  isWritable = true;
  isMaintained = false;
  scrape = createScrape(registry, defineMetrics(registry), {
    intake: () => current,
    pending: () => ({ email: 3 }),
    storeWritable: () => isWritable,
    storeNewer: () => !isWritable,
    inMaintenance: () => isMaintained,
  });
});

async function value(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number | undefined> {
  const { body } = await scrape.read();
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
});

test('goes on counting when another intake takes its place, with the last lines of the old one', async () => {
  const [first, second] = [intake(), intake()];
  current = first;
  first.count = 5;
  expect(await value(...LINES)).toBe(5);
  first.count = 6;
  scrape.takeCounts(first);
  // Scraped in between, and with more than the old one had.
  expect(await value(...LINES)).toBe(6);
  current = second;
  second.count = 10;
  expect(await value(...LINES)).toBe(16);
});

test('is content with an intake that does not listen', async () => {
  current = { logCounters: () => null };
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
