import type { Registry } from 'prom-client';

import type { EpochMs } from '../core/clock.ts';
import type { LogResult, LogSource } from '../core/polling/log-event.ts';
import type { Metrics } from './definitions.ts';

/** What became of log lines since the intake was started. */
export interface LogCounts {
  readonly lines: Readonly<Record<LogSource, Readonly<Record<LogResult, number>>>>;
  /** By appliance. */
  readonly lastReceivedAt: ReadonlyMap<string, EpochMs>;
}

/** What is read only when somebody scrapes: others count it already. */
export interface ScrapeSources {
  readonly logCounters: () => LogCounts | null;
  readonly pending: () => Readonly<Record<string, number>>;
  readonly storeWritable: () => boolean;
}

export type Scrape = () => Promise<{ readonly contentType: string; readonly body: string }>;

export function createScrape(registry: Registry, metrics: Metrics, sources: ScrapeSources): Scrape {
  const before = new Map<string, number>();
  return async () => {
    const counters = sources.logCounters();
    if (counters !== null) recordLog(metrics, before, counters);
    for (const [channel, count] of Object.entries(sources.pending())) metrics.notificationsPending.set({ channel }, count);
    metrics.storeWritable.set(sources.storeWritable() ? 1 : 0);
    return { contentType: registry.contentType, body: await registry.metrics() };
  };
}

/** The intake counts for itself, in its hot path; a counter here is brought to its figure. A reload begins a new intake at zero. */
function recordLog(metrics: Metrics, before: Map<string, number>, { lines, lastReceivedAt }: LogCounts): void {
  for (const [source, results] of Object.entries(lines)) {
    for (const [result, count] of Object.entries(results)) {
      const key = `${source} ${result}`;
      const last = before.get(key) ?? 0;
      metrics.logLines.inc({ source, result }, count >= last ? count - last : count);
      before.set(key, count);
    }
  }
  for (const [appliance, at] of lastReceivedAt) metrics.logLastReceived.set({ appliance }, at / 1000);
}
