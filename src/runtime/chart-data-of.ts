import { authority } from '../core/authority.ts';
import type { Clock, EpochMs, Millis } from '../core/clock.ts';
import type { ProbeTarget } from '../core/round.ts';
import type { StoredHourlyValue } from '../store/hourly-values.ts';
import type { ChartData, ChartLine } from '../web/chart-data.ts';
import { availabilityByDay } from './day-availability.ts';
import type { Monitor } from './monitor.ts';

const MINUTE: Millis = 60_000;
const DAY: Millis = 24 * 60 * MINUTE;

/** The charts change slowly, and reading them costs more than all else on the page. */
const KEPT: Millis = 10_000;

/** More appliances than these cannot be told apart in a chart. */
const MOST_LINES = 6;

type ChartDataSource = Pick<Monitor, 'store' | 'config'>;

/** Reads what the charts show, at most every few seconds. */
export function createChartData(monitor: () => ChartDataSource, clock: Clock): () => ChartData {
  let kept: { readonly chartData: ChartData; readonly of: ChartDataSource; readonly readAt: Millis } | null = null;
  return () => {
    const current = monitor();
    if (kept !== null && kept.of === current && clock.elapsed() - kept.readAt < KEPT) return kept.chartData;
    kept = { chartData: chartDataOf(current, clock.now()), of: current, readAt: clock.elapsed() };
    return kept.chartData;
  };
}

function chartDataOf({ store, config }: ChartDataSource, now: EpochMs): ChartData {
  const target = authority(config.licenseServer);
  const [resolver] = config.resolvers;
  const phases: readonly ProbeTarget[] = [
    ...(resolver === undefined ? [] : [{ probe: 'dns', target: resolver.label }]),
    { probe: 'tcp', target },
    { probe: 'tls', target },
    { probe: 'http', target },
  ];
  return {
    until: now,
    latency: phases.map((series) => ({
      name: series.probe,
      points: store.latency(series, now - DAY, 10 * MINUTE).map(({ at, durationMs }) => ({ at, value: durationMs })),
    })),
    errors: bySubject(store.hourlyValues('ftm-errors', now - 7 * DAY, MOST_LINES)),
    tokens: bySubject(store.hourlyValues('tokens-left', now - 90 * DAY, MOST_LINES)),
    days: availabilityByDay(store.availability(Math.floor(now / DAY) * DAY - 89 * DAY)),
  };
}

function bySubject(figures: readonly StoredHourlyValue[]): readonly ChartLine[] {
  const lines = Map.groupBy(figures, ({ subject }) => subject);
  return [...lines].map(([name, points]) => ({ name, points: points.map(({ at, value }) => ({ at, value })) }));
}
