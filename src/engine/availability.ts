import type { EpochMs, Millis } from '../core/clock.ts';
import { isoTime, type Zone } from '../core/time-text.ts';
import type { PreconditionState, Readiness } from './model.ts';

/** During a longer gap between two rounds, the state counts as unknown. */
export const MAX_ROUND_GAP: Millis = 10 * 60_000;

/** `waiting` replaces an `unknown` that does not count for `ready`, for example before the first input has arrived. */
export type RecordedState = PreconditionState | 'waiting';

export interface StateSpan {
  readonly precondition: string;
  /** A `RecordedState`, or a state that another version of ftm-watch recorded. */
  readonly state: string;
  readonly from: EpochMs;
  readonly until: EpochMs;
}

export interface AvailabilityPeriod {
  /** `2026-11` for a month, `2026` for a year. */
  readonly name: string;
  readonly from: EpochMs;
  readonly until: EpochMs;
  /** `ready`, `notReady` and `unknown` add up to the time between `from` and `until`. */
  readonly ready: Millis;
  readonly notReady: Millis;
  /** Includes the time during which ftm-watch was not running. */
  readonly unknown: Millis;
  /** True if the period has not ended or if no data is stored for its beginning. */
  readonly partial: boolean;
}

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
  const months = begins.flatMap(({ name, at: begin }, index): readonly AvailabilityPeriod[] => {
    const [from, end] = [Math.max(begin, since, first), begins[index + 1]?.at];
    if (end === undefined || end <= from || until <= from) return [];
    const partial = from > begin || end > until;
    return [{ name, from, until: Math.min(end, until), ready: 0, notReady: 0, unknown: 0, partial }];
  });
  const measured = withDurations(months, spans);
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

type Change = { readonly at: EpochMs } & (
  | { readonly kind: 'state'; readonly state: string; readonly by: 1 | -1 }
  | { readonly kind: 'month'; readonly month: AvailabilityPeriod | null }
);

function withDurations(
  months: readonly AvailabilityPeriod[],
  spans: readonly StateSpan[],
): readonly AvailabilityPeriod[] {
  const end = months.at(-1)?.until ?? 0;
  const changes = [
    ...spans.flatMap(({ state, from, until }): readonly Change[] => [
      { at: from, kind: 'state', state, by: 1 },
      { at: until, kind: 'state', state, by: -1 },
    ]),
    ...[...months, null].map((month): Change => ({ at: month?.from ?? end, kind: 'month', month })),
  ].toSorted((a, b) => a.at - b.at);
  const counts = new Map<string, number>();
  const done: AvailabilityPeriod[] = [];
  let current: AvailabilityPeriod | null = null;
  let at = Number.NEGATIVE_INFINITY;
  for (const change of changes) {
    if (current !== null) current = withTime(current, readinessOf(counts), change.at - at);
    at = change.at;
    if (change.kind === 'state') {
      counts.set(change.state, (counts.get(change.state) ?? 0) + change.by);
    } else {
      if (current !== null) done.push(current);
      current = change.month;
    }
  }
  return done;
}

function withTime(period: AvailabilityPeriod, readiness: Readiness, time: Millis): AvailabilityPeriod {
  switch (readiness) {
    case 'ready':
      return { ...period, ready: period.ready + time };
    case 'not-ready':
      return { ...period, notReady: period.notReady + time };
    case 'unknown':
      return { ...period, unknown: period.unknown + time };
  }
}

function readinessOf(counts: ReadonlyMap<string, number>): Readiness {
  const isAny = (state: RecordedState): boolean => (counts.get(state) ?? 0) > 0;
  if (isAny('broken')) return 'not-ready';
  return isAny('unknown') || [...counts.values()].every((count) => count === 0) ? 'unknown' : 'ready';
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

/** Returns the fraction (0 to 1) of the known time during which activation was ready, or null if no time is known. */
export function availabilityShare({ ready, notReady }: AvailabilityPeriod): number | null {
  return ready + notReady === 0 ? null : ready / (ready + notReady);
}

interface Spans {
  readonly held: Millis;
  readonly watched: Millis;
}

const HELD: readonly string[] = ['ok', 'warning'];
const BROKEN: readonly string[] = ['broken', 'blocked'];

/**
 * Share of the monitored time in which activation was possible, for each day (UTC), oldest first. On each day, only the
 * precondition that was broken for the longest time counts. Time in the states `unknown` and `not-configured` is
 * excluded. A state that continues into the next day counts in both days.
 * @param span the length of a day, or of another time span
 */
export function availabilityByDay(
  states: readonly StateSpan[],
  { from, span }: { readonly from: EpochMs; readonly span: Millis },
): readonly { readonly day: EpochMs; readonly share: number }[] {
  const days = new Map<EpochMs, Map<string, Spans>>();
  for (const { precondition, state, ...recorded } of states) {
    if (!HELD.includes(state) && !BROKEN.includes(state)) continue;
    const begin = Math.max(recorded.from, from);
    for (let day = Math.floor(begin / span) * span; day < recorded.until; day += span) {
      const duration = Math.min(recorded.until, day + span) - Math.max(begin, day);
      const spans = days.get(day) ?? new Map<string, Spans>();
      const { held, watched } = spans.get(precondition) ?? { held: 0, watched: 0 };
      spans.set(precondition, { held: held + (HELD.includes(state) ? duration : 0), watched: watched + duration });
      days.set(day, spans);
    }
  }
  return [...days]
    .flatMap(([day, spans]) => {
      const shares = [...spans.values()]
        .filter(({ watched }) => watched > 0)
        .map(({ held, watched }) => held / watched);
      return shares.length === 0 ? [] : [{ day, share: Math.min(...shares) }];
    })
    .toSorted((a, b) => a.day - b.day);
}
