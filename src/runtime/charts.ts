import { authority } from '../core/addresses.ts';
import type { Clock, EpochMs, Millis } from '../core/clock.ts';
import type { ProbeTarget } from '../core/round.ts';
import { type TimeRange, zoneOf } from '../core/time-text.ts';
import {
  availabilityByDay,
  availabilityByMonth,
  type AvailabilityDay,
  availabilityOfDays,
  type AvailabilityPeriod,
  isOutdated,
  unknownSince,
} from '../engine/availability.ts';
import { type Incident, type Occurrence, lastedText } from '../engine/incident/incident.ts';
import type { StoredHourlyValue } from '../store/store.ts';
import {
  CHART_WINDOWS,
  type ChartData,
  type ChartIncident,
  type ChartLine,
  type ChartRange,
  type RangeData,
  type WebSources,
} from '../web/sources.ts';
import type { Monitor } from './monitor.ts';
import { findIncidents, type IncidentRecordSource } from './incident-records.ts';

const MINUTE: Millis = 60_000;
const DAY: Millis = 24 * 60 * MINUTE;

/** Chart data is cached, because it changes slowly and takes longer to read than the rest of the page. */
const KEPT: Millis = 10_000;

const MOST_LINES = 6;
const MOST_INCIDENTS = 100;

type ChartDataSource = Pick<Monitor, 'config' | 'knownFor'> & IncidentRecordSource;

type Charts = Pick<WebSources, 'chartData' | 'rangeData' | 'lastDays' | 'unknownSince' | 'availability'>;

export function createCharts(source: ChartDataSource, clock: Clock): Charts {
  const chartData = createKept<ChartData>(source, clock);
  const rangeData = createKept<RangeData>(source, clock);
  const lastDays = createKept<readonly AvailabilityDay[]>(source, clock);
  const unknownBegin = createKept<EpochMs | null>(source, clock);
  const availability = createKept<readonly AvailabilityPeriod[]>(source, clock);
  return {
    chartData: () => chartData('usual', chartDataOf),
    rangeData: (range) => rangeData(range, (from, now) => rangeDataOf(from, range, now)),
    lastDays: () => lastDays('days', lastDaysOf),
    unknownSince: () => unknownBegin('unknown', unknownSinceOf),
    availability: () => availability('months', availabilityOf),
  };
}

const LAST_DAYS = 90;

function lastDaysOf(source: ChartDataSource, now: EpochMs): readonly AvailabilityDay[] {
  const until = knownUntil(source, now);
  // One more day, because the first day may begin earlier in the site's time zone.
  const spans = source.store.stateSpans({ since: now - (LAST_DAYS + 1) * DAY, until });
  return availabilityOfDays(spans, { now, until, zone: zoneOf(source.config.timezone) }, LAST_DAYS);
}

function unknownSinceOf(source: ChartDataSource, now: EpochMs): EpochMs | null {
  const until = knownUntil(source, now);
  return unknownSince(source.store.stateSpans({ since: now - LAST_DAYS * DAY, until }), until);
}

/** The time since the last round counts as unknown only if that round is outdated. */
function knownUntil({ store, knownFor }: ChartDataSource, now: EpochMs): EpochMs {
  const last = store.lastRound(now);
  return last === null || isOutdated(now, last, knownFor) ? now : last;
}

function availabilityOf(source: ChartDataSource, now: EpochMs): readonly AvailabilityPeriod[] {
  const { store, config } = source;
  const since = now - config.store.retention;
  const until = knownUntil(source, now);
  return availabilityByMonth(store.stateSpans({ since, until }), { since, until, zone: zoneOf(config.timezone) });
}

type Read<T> = (key: string, make: (source: ChartDataSource, now: EpochMs) => T) => T;

function createKept<T>(source: ChartDataSource, clock: Clock): Read<T> {
  const kept = new Map<string, { readonly data: T; readonly readAt: Millis }>();
  return (key, make) => {
    const known = kept.get(key);
    if (known !== undefined && clock.elapsed() - known.readAt < KEPT) return known.data;
    const data = make(source, clock.now());
    kept.set(key, { data, readAt: clock.elapsed() });
    return data;
  };
}

function chartDataOf(source: ChartDataSource, now: EpochMs): ChartData {
  const { store } = source;
  const firstDay = Math.floor(now / DAY) * DAY - 89 * DAY;
  return {
    until: now,
    latency: latencyOf(source, { since: now - DAY, until: now }, 10 * MINUTE),
    errors: bySubject(store.hourlyValues('ftm-errors', { since: now - 7 * DAY, until: now }, MOST_LINES)),
    tokens: bySubject(store.hourlyValues('tokens-left', { since: now - 90 * DAY, until: now }, MOST_LINES)),
    days: availabilityByDay(store.stateSpans({ since: firstDay, until: now }), {
      from: firstDay,
      until: now,
      span: DAY,
    }),
  };
}

function rangeDataOf(source: ChartDataSource, range: ChartRange, now: EpochMs): RangeData {
  const { back, latency, span } = CHART_WINDOWS[range];
  const { store } = source;
  // The time range begins at the start of a span. The last span has not ended yet.
  const from = Math.floor(now / span) * span - back + span;
  const shown: TimeRange = { since: from, until: now };
  return {
    range,
    from,
    until: now,
    latency: latencyOf(source, shown, latency),
    errors: bySubject(store.hourlyValues('ftm-errors', shown, MOST_LINES)).map((line) => summed(line, span)),
    tokens: bySubject(store.hourlyValues('tokens-left', shown, MOST_LINES)),
    days: availabilityByDay(store.stateSpans(shown), { from, until: now, span }),
    incidents: incidentsOf(source, shown),
  };
}

function latencyOf({ store, config }: ChartDataSource, range: TimeRange, span: Millis): readonly ChartLine[] {
  const target = authority(config.licenseServer);
  const [resolver] = config.resolvers;
  const phases: readonly ProbeTarget[] = [
    ...(resolver === undefined ? [] : [{ probe: 'dns', target: resolver.label }]),
    { probe: 'tcp', target },
    { probe: 'tls', target },
    { probe: 'http', target },
  ];
  return phases.map((series) => ({
    name: series.probe,
    points: store.latency(series, range, span).map(({ at, durationMs }) => ({ at, value: durationMs })),
  }));
}

function bySubject(figures: readonly StoredHourlyValue[]): readonly ChartLine[] {
  const lines = Map.groupBy(figures, ({ subject }) => subject);
  return [...lines].map(([name, points]) => ({ name, points: points.map(({ at, value }) => ({ at, value })) }));
}

function summed({ name, points }: ChartLine, span: Millis): ChartLine {
  const spans = Map.groupBy(points, ({ at }) => Math.floor(at / span) * span);
  return {
    name,
    points: [...spans].map(([at, some]) => ({ at, value: some.reduce((sum, { value }) => sum + value, 0) })),
  };
}

function incidentsOf(source: ChartDataSource, shown: TimeRange): readonly ChartIncident[] {
  const query = { cause: null, state: null, from: shown.since, until: shown.until };
  return findIncidents(source, query, MOST_INCIDENTS)
    .incidents.filter(({ cause }) => cause.severity !== 'info')
    .flatMap((incident) => [...incident.earlier, incident].map((occurrence) => markOf(incident, occurrence)))
    .filter(({ until }) => until === null || until >= shown.since)
    .slice(0, MOST_INCIDENTS);
}

function markOf({ id, cause }: Incident, occurrence: Occurrence): ChartIncident {
  const { since, clear, closedAt } = occurrence;
  return {
    id,
    cause: cause.id,
    subject: cause.subject,
    severity: cause.severity,
    from: since,
    until: closedAt === null ? null : (clear.after ?? closedAt),
    lasted: closedAt === null ? null : lastedText(occurrence),
  };
}
