import type { Registry, Gauge } from 'prom-client';
import type { EpochMs } from '../core/clock.ts';
import {
  CONNECTION_RESULTS,
  type ConnectionResult,
  LOG_RESULTS,
  LOG_SOURCES,
  type LogResult,
  type LogSource,
} from '../core/polling/log-event.ts';
import { readProcessFigures, type ProcessFigures } from '../system/process-facts.ts';
import type { Readiness } from '../engine/model.ts';
import type { Metrics } from './definitions.ts';
import type { MetricsText } from './probe-metrics.ts';
import { nextTurn } from '../system/clock.ts';

/** Counts since the start of a log intake. */
interface LogCounts {
  readonly lines: Readonly<Record<LogSource, Readonly<Record<LogResult, number>>>>;
  readonly connections: Readonly<Record<ConnectionResult | 'open', number>>;
  readonly lastReceivedAt: ReadonlyMap<string, EpochMs>;
}

/** Values that are read only during a scrape. After a reload, they come from another object. */
interface Scraped {
  /** Null if no log is received. */
  logCounters(): LogCounts | null;
  readonly alerting: { pending(): Readonly<Record<string, number>>; inMaintenance(): boolean };
  readonly store: { writable(): boolean; newer(): string | null };
  readiness(): Readiness;
}

export interface Scrape {
  /** Prometheus text format. Concurrent calls share the same result. */
  read(scraped: Scraped): Promise<MetricsText>;
  /** Must be called before the metrics are exported in another format. */
  update(scraped: Scraped): Promise<void>;
  /**
   * Adds the counts of a log intake. Must be called once more after the intake has ended, so that no lines are missed.
   */
  takeCounts(intake: Pick<Scraped, 'logCounters'>): void;
}

export function createScrape(registry: Registry, metrics: Metrics): Scrape {
  const takenOver = new WeakMap<object, LogCounts>();
  const takeFigures = createOwnProcess(metrics);

  function takeCounts(intake: Pick<Scraped, 'logCounters'>): void {
    const counts = intake.logCounters();
    if (counts === null) return;
    recordLog(metrics, takenOver.get(intake) ?? null, counts);
    takenOver.set(intake, counts);
  }

  async function update(scraped: Scraped): Promise<void> {
    takeFigures(await readProcessFigures());
    takeCounts(scraped);
    const { alerting, store } = scraped;
    setOrRemove(metrics.activationReady, READY_VALUES[scraped.readiness()]);
    for (const [channel, count] of Object.entries(alerting.pending()))
      metrics.notificationsPending.set({ channel }, count);
    metrics.storeWritable.set(store.writable() ? 1 : 0);
    metrics.storeNewer.set(store.newer() === null ? 0 : 1);
    metrics.maintenanceActive.set(alerting.inMaintenance() ? 1 : 0);
  }

  async function write(scraped: Scraped): Promise<MetricsText> {
    await update(scraped);
    return { contentType: registry.contentType, body: await exposition(registry) };
  }

  let writing: Promise<MetricsText> | null = null;
  return {
    takeCounts,
    update,
    read: (scraped) => {
      writing ??= write(scraped).finally(() => {
        writing = null;
      });
      return writing;
    },
  };
}

const READY_VALUES: Readonly<Record<Readiness, number | null>> = { ready: 1, 'not-ready': 0, unknown: null };

/** The intake counts log lines itself, because this is faster. */
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

/** Other tasks get a turn after this many series. Formatting them takes less than a millisecond. */
const SERIES_A_TURN = 500;

/**
 * The same text as `registry.metrics()`, which would block the event loop for 25 to 45 ms with 200 targets and 200
 * appliances.
 */
async function exposition(registry: Registry): Promise<string> {
  const parts: string[] = [];
  for (const { name } of registry.getMetricsAsArray()) {
    const metric = await registry.getSingleMetric(name)?.get();
    if (metric === undefined) continue;
    const lines = [`# HELP ${name} ${escaped(metric.help)}`, `# TYPE ${name} ${String(metric.type)}`];
    for (const [index, sample] of metric.values.entries()) {
      if (index % SERIES_A_TURN === 0) await nextTurn();
      lines.push(lineOf(name, sample));
    }
    parts.push(lines.join('\n'));
    await nextTurn();
  }
  return `${parts.join('\n\n')}\n`;
}

interface Sample {
  /** Set only for samples that belong to a histogram. */
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number | undefined>>;
  readonly value: number;
}

function lineOf(name: string, { metricName = name, labels, value }: Sample): string {
  const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escaped(String(text)).replaceAll('"', '\\"')}"`);
  return `${metricName}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${valueText(value)}`;
}

function valueText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}

function escaped(text: string): string {
  return text.replaceAll('\\', String.raw`\\`).replaceAll('\n', String.raw`\n`);
}

function createOwnProcess(metrics: Metrics): (figures: ProcessFigures) => void {
  let cpuSeconds = 0;
  metrics.nodeInfo.set({ version: process.version }, 1);
  return (figures) => {
    metrics.processCpu.inc(figures.cpuSeconds - cpuSeconds);
    cpuSeconds = figures.cpuSeconds;
    metrics.residentMemory.set(figures.residentBytes);
    setOrRemove(metrics.virtualMemory, figures.virtualBytes);
    setOrRemove(metrics.openFiles, figures.openFiles);
    setOrRemove(metrics.mostFiles, figures.mostFiles);
    metrics.heapUsed.set(figures.heapUsedBytes);
    metrics.heapTotal.set(figures.heapTotalBytes);
    metrics.externalMemory.set(figures.externalBytes);
  };
}

function setOrRemove(gauge: Gauge, value: number | null): void {
  if (value === null) gauge.remove();
  else gauge.set(value);
}
