import type { Registry } from 'prom-client';

import type { EpochMs } from '../core/clock.ts';
import {
  CONNECTION_RESULTS,
  type ConnectionResult,
  LOG_RESULTS,
  LOG_SOURCES,
  type LogResult,
  type LogSource,
} from '../core/polling/log-event.ts';
import { readProcessFigures } from '../system/process-figures.ts';
import type { Metrics } from './definitions.ts';
import { exposition } from './exposition.ts';
import { createOwnProcess } from './own-process.ts';
import type { MetricsText } from './probe-metrics.ts';

/** What became of log lines since an intake was started. */
export interface LogCounts {
  readonly lines: Readonly<Record<LogSource, Readonly<Record<LogResult, number>>>>;
  readonly connections: Readonly<Record<ConnectionResult | 'open', number>>;
  /** By appliance. */
  readonly lastReceivedAt: ReadonlyMap<string, EpochMs>;
}

/** What is read only when somebody scrapes: others count it already. A reload puts another one in its place. */
export interface Scraped {
  /** They begin at zero. null: it does not listen. */
  logCounters(): LogCounts | null;
  readonly alerting: { pending(): Readonly<Record<string, number>>; inMaintenance(): boolean };
  readonly store: { writable(): boolean; newer(): string | null };
}

export interface Scrape {
  /** Asked for again while it is being written, it is written once. */
  read(): Promise<MetricsText>;
  /** Takes over what an intake has counted; once more after its end, so that nothing is missing. */
  takeCounts(intake: Pick<Scraped, 'logCounters'>): void;
}

export function createScrape(registry: Registry, metrics: Metrics, current: () => Scraped): Scrape {
  const takenOver = new WeakMap<object, LogCounts>();
  const takeFigures = createOwnProcess(metrics);

  function takeCounts(intake: Pick<Scraped, 'logCounters'>): void {
    const counts = intake.logCounters();
    if (counts === null) return;
    recordLog(metrics, takenOver.get(intake) ?? null, counts);
    takenOver.set(intake, counts);
  }

  async function write(): Promise<MetricsText> {
    takeFigures(await readProcessFigures());
    const scraped = current();
    takeCounts(scraped);
    const { alerting, store } = scraped;
    for (const [channel, count] of Object.entries(alerting.pending()))
      metrics.notificationsPending.set({ channel }, count);
    metrics.storeWritable.set(store.writable() ? 1 : 0);
    metrics.storeNewer.set(store.newer() === null ? 0 : 1);
    metrics.maintenanceActive.set(alerting.inMaintenance() ? 1 : 0);
    return { contentType: registry.contentType, body: await exposition(registry) };
  }

  let writing: Promise<MetricsText> | null = null;
  return {
    takeCounts,
    read: () => {
      writing ??= write().finally(() => {
        writing = null;
      });
      return writing;
    },
  };
}

/** The intake counts for itself, in its hot path; a counter here is brought to its figure. */
function recordLog(
  metrics: Metrics,
  before: LogCounts | null,
  { lines, connections, lastReceivedAt }: LogCounts,
): void {
  for (const source of LOG_SOURCES) {
    for (const result of LOG_RESULTS)
      metrics.logLines.inc({ source, result }, lines[source][result] - (before?.lines[source][result] ?? 0));
  }
  for (const result of CONNECTION_RESULTS)
    metrics.logConnections.inc({ result }, connections[result] - (before?.connections[result] ?? 0));
  metrics.logConnectionsOpen.set(connections.open);
  for (const [appliance, at] of lastReceivedAt) metrics.logLastReceived.set({ appliance }, at / 1000);
}
