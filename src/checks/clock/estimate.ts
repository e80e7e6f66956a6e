import type { Millis, EpochMs } from '../../core/clock.ts';
import type { ClockObservation, HttpOutcome } from '../../core/observation.ts';
import type { Verdict } from '../tls-genuine/chain-case.ts';
import type { PathObservation, RoundObservations } from '../../core/round.ts';
import { controlChainsOf, judgeTlsPath, type TlsKnowledge } from '../tls-genuine/judge-path.ts';

/** The state of our clock according to all sources. */
interface ClockEstimate {
  /** Median of the sources' time minus our time. */
  readonly offsetMs: Millis;
  readonly precisionMs: Millis;
  /** `host:port` of the sources that agree. */
  readonly supporters: readonly string[];
  /** The estimate is reliable because an NTP server, an authenticated server, or two different sources agree on it. */
  readonly trusted: boolean;
}

/** Our own clock as determined by a round. */
export interface OwnClock {
  /** Null if no source returned the time. */
  readonly estimate: ClockEstimate | null;
  /** Our wall clock minus our monotonic clock at the start of the round. */
  readonly clockBase: Millis;
}

/** A confirmed state remains valid until our clock is set. Slow adjustments change less than this. */
const CLOCK_WAS_SET: Millis = 2000;

/** Reports whether our clock was set between two moments, based on wall clock minus monotonic clock at each. */
export function wasClockSet(baseBefore: Millis, baseNow: Millis): boolean {
  return Math.abs(baseNow - baseBefore) > CLOCK_WAS_SET;
}

/**
 * Returns the last confirmed state of our clock, from this round or from an earlier one if the clock was not set since
 * then. An outage of all time sources must not discard it.
 */
export function confirmedClock(now: OwnClock | null, before: OwnClock | null): OwnClock | null {
  if (now?.estimate?.trusted === true || before === null) return now;
  return now === null || !wasClockSet(before.clockBase, now.clockBase) ? before : now;
}

/** Allowed in addition to the precision of both, because servers can be slightly off. */
const TOLERANCE: Millis = 2000;

interface Reading {
  readonly source: string;
  readonly protocol: ClockObservation['protocol'];
  readonly offsetMs: Millis;
  readonly precisionMs: Millis;
}

/** Returns null if no source returned the time. */
export function estimateClock(observations: readonly ClockObservation[]): ClockEstimate | null {
  const readings = observations
    .flatMap<Reading>(({ source, protocol, outcome }) =>
      outcome.kind === 'offset'
        ? [{ source, protocol, offsetMs: outcome.offsetMs, precisionMs: outcome.precisionMs }]
        : [],
    )
    .sort((a, b) => a.offsetMs - b.offsetMs);
  const median = medianOf(readings);
  if (median === null) return null;
  const agreeing = readings.filter((reading) => agrees(reading, median));
  const supporters = [...new Set(agreeing.map(({ source }) => source))];
  return {
    offsetMs: median.offsetMs,
    precisionMs: median.precisionMs,
    supporters,
    trusted: supporters.length > 1 || agreeing.some(({ protocol }) => protocol !== 'http'),
  };
}

/**
 * Returns the median. Of two middle values, the one closer to our clock is used, because without a majority no clock is
 * blamed.
 */
function medianOf(sorted: readonly Reading[]): Reading | null {
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  if (upper === undefined || lower === undefined) return null;
  return Math.abs(lower.offsetMs) < Math.abs(upper.offsetMs) ? lower : upper;
}

function agrees(left: Reading, right: Reading): boolean {
  return Math.abs(left.offsetMs - right.offsetMs) <= left.precisionMs + right.precisionMs + TOLERANCE;
}

/**
 * Returns the best estimate of the true time, for certificate dates. This is `now` unless trusted sources show how
 * wrong it is.
 */
export function correctedNow(now: EpochMs, observations: readonly ClockObservation[]): EpochMs {
  const estimate = estimateClock(observations);
  if (estimate === null || !estimate.trusted || Math.abs(estimate.offsetMs) <= estimate.precisionMs) return now;
  return Math.round(now + estimate.offsetMs);
}

/**
 * A `Date` header is truncated to whole seconds (RFC 9110 §5.6.7), so the actual time is half a second later on
 * average.
 */
const HALF_SECOND: Millis = 500;

/**
 * Reads the server's time from an HTTP answer. The header was written between the request and its arrival, so the
 * midpoint is assumed.
 * @param source `host:port`
 */
export function observeDateHeader(source: string, http: HttpOutcome): ClockObservation {
  return { source, protocol: 'http', outcome: outcomeOf(http) };
}

function outcomeOf(http: HttpOutcome): ClockObservation['outcome'] {
  switch (http.kind) {
    case 'failed':
      return http;
    case 'client-certificate-demanded':
      return {
        kind: 'failed',
        reason: 'rejected',
        message: 'The server demands a client certificate',
        durationMs: http.durationMs,
      };
    case 'response': {
      const { date, receivedAt, durationMs } = http;
      if (date === null)
        return { kind: 'failed', reason: 'protocol', message: 'The answer has no readable Date header', durationMs };
      const half = durationMs / 2;
      return { kind: 'offset', offsetMs: date + HALF_SECOND - (receivedAt - half), precisionMs: HALF_SECOND + half };
    }
  }
}

const GENUINE: readonly Verdict[] = ['genuine', 'rotated'];

/**
 * Marks the time of the licence server as trusted if its chain is genuine at that time and its certificate is out of
 * date at ours. A single source can be wrong, but not one that is authenticated at the time it reports.
 */
export function withGenuineTime(
  clock: readonly ClockObservation[],
  { path: { licenseServer }, controls, startedAt }: Pick<RoundObservations, 'path' | 'controls' | 'startedAt'>,
  knowledgeOf: (target: string) => TlsKnowledge,
): readonly ClockObservation[] {
  const dated = licenseServer.endpoints.flatMap((endpoint) => {
    if (endpoint.http?.kind !== 'response') return [];
    const { outcome } = observeDateHeader(licenseServer.subject, endpoint.http);
    return outcome.kind === 'offset' ? [{ endpoint, offsetMs: outcome.offsetMs }] : [];
  });
  // If the times agree, there is nothing to prove, and no chain is judged twice in the normal state.
  if (dated.every(({ offsetMs }) => Math.abs(offsetMs) < WORTH_A_LOOK)) return clock;
  const around = controlChainsOf(controls);
  const verdictAt = (path: PathObservation, now: EpochMs): Verdict | null =>
    judgeTlsPath(path, knowledgeOf(path.subject), { controls: around, now }).worst?.verdict ?? null;
  const proven = dated.filter(({ endpoint, offsetMs }) => {
    const path = { ...licenseServer, endpoints: [endpoint] };
    const [here, there] = [verdictAt(path, startedAt), verdictAt(path, startedAt + offsetMs)];
    return here === 'certificate-broken' && GENUINE.some((verdict) => verdict === there);
  });
  const isProven = ({ source, outcome }: ClockObservation): boolean =>
    source === licenseServer.subject &&
    outcome.kind === 'offset' &&
    proven.some(({ offsetMs }) => offsetMs === outcome.offsetMs);
  return clock.map((told) => (isProven(told) ? { ...told, protocol: 'certificate' } : told));
}

/** Certificate dates have a resolution of seconds, and clocks can be slightly off. */
const WORTH_A_LOOK: Millis = 60_000;
