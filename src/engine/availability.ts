import type { EpochMs, Millis } from '../core/clock.ts';
import { isoTime, type Zone } from '../core/time-text.ts';
import type { Diagnosis, PreconditionState, PreconditionStatus, Readiness } from './model.ts';

const LEAST_KNOWN: Millis = 10 * 60_000;

/**
 * Returns for how long the result of a round counts. Afterwards, nobody knows the state, even if the schedule has
 * planned a pause.
 * @param period the schedule's shortest
 */
export function knownFor(period: Millis, longestRound: Millis): Millis {
  return Math.max(LEAST_KNOWN, 3 * period + longestRound);
}

export function isOutdated(now: EpochMs, round: EpochMs, counts: Millis): boolean {
  return now - round > counts;
}

/** Unknown before the first round, and when the last one is outdated. */
export function readinessAt(
  now: EpochMs,
  diagnosis: Pick<Diagnosis, 'ready' | 'at'> | null,
  counts: Millis,
): Readiness {
  return diagnosis === null || isOutdated(now, diagnosis.at, counts) ? 'unknown' : diagnosis.ready;
}

/** `waiting` replaces an `unknown` that does not count for `ready`, for example before the first input has arrived. */
type RecordedState = PreconditionState | 'waiting';

export function recordedState({ state, isLeftOut }: Pick<PreconditionStatus, 'state' | 'isLeftOut'>): RecordedState {
  return isLeftOut === true ? 'waiting' : state;
}

/**
 * `blocked` can be ignored, because a blocked precondition always depends on a broken one.
 * @param states of all preconditions, as recorded
 */
export function readinessOf(states: ReadonlySet<string>): Readiness {
  if (states.has('broken')) return 'not-ready';
  return states.has('unknown') || states.size === 0 ? 'unknown' : 'ready';
}

export interface StateSpan {
  readonly precondition: string;
  /** A `RecordedState`, or a state that another version of ftm-watch recorded. */
  readonly state: string;
  readonly from: EpochMs;
  readonly until: EpochMs;
}

/** The three times add up to the length of the evaluated period. */
export interface Availability {
  readonly ready: Millis;
  readonly notReady: Millis;
  /** Includes the time during which ftm-watch was not running. */
  readonly unknown: Millis;
}

/** Returns the fraction (0 to 1) of the known time during which activation was ready, or null if no time is known. */
export function availabilityShare({ ready, notReady }: Pick<Availability, 'ready' | 'notReady'>): number | null {
  return ready + notReady === 0 ? null : ready / (ready + notReady);
}

/** Returns since when the state at this time is unknown. Null if it is not. */
export function unknownSince(spans: readonly StateSpan[], at: EpochMs): EpochMs | null {
  const begins = spans.filter(({ state, until }) => state === 'unknown' && until >= at).map(({ from }) => from);
  const outages = spans.filter(({ state }) => state === 'broken').map(({ until }) => until);
  return begins.length === 0 ? null : Math.max(Math.min(...begins), ...outages);
}

interface TimeSpan {
  readonly from: EpochMs;
  readonly until: EpochMs;
}

const NO_TIME: Availability = { ready: 0, notReady: 0, unknown: 0 };

type Change<Span> = { readonly at: EpochMs } & (
  | { readonly kind: 'state'; readonly state: string; readonly by: 1 | -1 }
  | { readonly kind: 'period'; readonly period: Span | null }
);

/**
 * Every other function and every text about availability is based on this function.
 * @param periods consecutive, in order
 */
export function withAvailability<Span extends TimeSpan>(
  periods: readonly Span[],
  states: readonly StateSpan[],
): readonly (Span & Availability)[] {
  const end = periods.at(-1)?.until ?? 0;
  const changes = [
    ...states.flatMap(({ state, from, until }): readonly Change<Span>[] => [
      { at: from, kind: 'state', state, by: 1 },
      { at: until, kind: 'state', state, by: -1 },
    ]),
    ...[...periods, null].map((period): Change<Span> => ({ at: period?.from ?? end, kind: 'period', period })),
  ].toSorted((a, b) => a.at - b.at);
  const counts = new Map<string, number>();
  const done: (Span & Availability)[] = [];
  let current: Span | null = null;
  let times = NO_TIME;
  let at = Number.NEGATIVE_INFINITY;
  for (const change of changes) {
    if (current !== null) times = added(times, readinessOf(new Set(counts.keys())), change.at - at);
    at = change.at;
    if (change.kind === 'state') {
      const count = (counts.get(change.state) ?? 0) + change.by;
      if (count === 0) counts.delete(change.state);
      else counts.set(change.state, count);
    } else {
      if (current !== null) done.push({ ...current, ...times });
      current = change.period;
      times = NO_TIME;
    }
  }
  return done;
}

function added({ ready, notReady, unknown }: Availability, readiness: Readiness, time: Millis): Availability {
  switch (readiness) {
    case 'ready':
      return { ready: ready + time, notReady, unknown };
    case 'not-ready':
      return { ready, notReady: notReady + time, unknown };
    case 'unknown':
      return { ready, notReady, unknown: unknown + time };
  }
}

interface CalendarPeriod extends TimeSpan {
  /** `2026-11` for a month, `2026` for a year. */
  readonly name: string;
  /** True if the period has not ended or if no data is stored for its beginning. */
  readonly partial: boolean;
}

export type AvailabilityPeriod = CalendarPeriod & Availability;

interface Evaluated {
  readonly since: EpochMs;
  readonly until: EpochMs;
  readonly zone: Zone;
}

/** Returns each year followed by its months, latest first. Readiness is unknown for times without a recorded state. */
export function availabilityByMonth(
  spans: readonly StateSpan[],
  { since, until, zone }: Evaluated,
): readonly AvailabilityPeriod[] {
  const first = spans.reduce((earliest, { from }) => Math.min(earliest, from), until);
  const begins = beginsOfMonths(Math.max(since, first), until, zone);
  const months = begins.flatMap(({ name, at: begin }, index): readonly CalendarPeriod[] => {
    const [from, end] = [Math.max(begin, since, first), begins[index + 1]?.at];
    if (end === undefined || end <= from || until <= from) return [];
    const partial = from > begin || end > until;
    return [{ name, from, until: Math.min(end, until), partial }];
  });
  const measured = withAvailability(months, spans);
  return [...Map.groupBy(measured.toReversed(), ({ name }) => name.slice(0, 4))].flatMap(([year, all]) => [
    yearOf(year, all, zone),
    ...all,
  ]);
}

interface MonthBegin {
  readonly name: string;
  readonly at: EpochMs;
}

function beginsOfMonths(from: EpochMs, until: EpochMs, zone: Zone): readonly MonthBegin[] {
  const begins: MonthBegin[] = [];
  const first = new Date(from);
  // In the site's time zone, `from` can be in the previous or the next month.
  for (let month = first.getUTCMonth() - 1; ; month += 1) {
    const midnight = Date.UTC(first.getUTCFullYear(), month, 1);
    const at = zone.startOfDay(midnight);
    begins.push({ name: isoTime(midnight).slice(0, 7), at });
    if (at >= until) return begins;
  }
}

/** @param months latest first */
function yearOf(year: string, months: readonly AvailabilityPeriod[], zone: Zone): AvailabilityPeriod {
  const total = (of: (month: AvailabilityPeriod) => number): number =>
    months.reduce((sum, month) => sum + of(month), 0);
  const [begin, end] = [Number(year), Number(year) + 1].map((one) => zone.startOfDay(Date.UTC(one, 0, 1)));
  const [from, until] = [months.at(-1)?.from ?? 0, months[0]?.until ?? 0];
  return {
    name: year,
    from,
    until,
    ready: total(({ ready }) => ready),
    notReady: total(({ notReady }) => notReady),
    unknown: total(({ unknown }) => unknown),
    partial: from !== begin || until !== end,
  };
}

export interface AvailabilityDay extends TimeSpan, Availability {
  /** The date, such as `2026-11-24`. */
  readonly name: string;
  /** A precondition had a warning. */
  readonly hasWarning: boolean;
}

/**
 * Returns the latest days of the zone, oldest first. The last is today, even if the last round before `until` was
 * yesterday.
 */
export function availabilityOfDays(
  spans: readonly StateSpan[],
  { now, until, zone }: Pick<Evaluated, 'until' | 'zone'> & { readonly now: EpochMs },
  count: number,
): readonly AvailabilityDay[] {
  const today = Date.parse(zone.local(now).slice(0, 10));
  const begins = Array.from({ length: count }, (_, index) => {
    const midnight = today - (count - 1 - index) * DAY;
    return { name: isoTime(midnight).slice(0, 10), from: zone.startOfDay(midnight) };
  });
  const days = begins.map((begin, index) => ({
    ...begin,
    until: begins[index + 1]?.from ?? Math.max(begin.from, until),
  }));
  const warnings = spans.filter(({ state }) => state === 'warning');
  return withAvailability(days, spans).map((day) => ({
    ...day,
    hasWarning: warnings.some((warning) => warning.from < day.until && warning.until > day.from),
  }));
}

const DAY: Millis = 86_400_000;

export interface AvailabilityBar {
  /** Start of the day or hour. */
  readonly day: EpochMs;
  readonly share: number;
  /** The part of the day or hour for which the state is known. */
  readonly knownMs: Millis;
}

/**
 * Omits days for which nothing is known. The last day ends at `until`.
 * @param span the length of a day, or of another time span
 */
export function availabilityByDay(
  spans: readonly StateSpan[],
  { from, until, span }: { readonly from: EpochMs; readonly until: EpochMs; readonly span: Millis },
): readonly AvailabilityBar[] {
  const days = Array.from({ length: Math.ceil((until - from) / span) }, (_, index) => from + index * span);
  const periods = days.map((day) => ({ from: day, until: Math.min(day + span, until) }));
  return withAvailability(periods, spans).flatMap((period) => {
    const share = availabilityShare(period);
    return share === null ? [] : [{ day: period.from, share, knownMs: period.ready + period.notReady }];
  });
}
