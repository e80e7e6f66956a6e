import type { Millis, EpochMs } from '../../core/clock.ts';
import type { ClockObservation, HttpOutcome } from '../../core/observation.ts';
import type { Verdict } from '../tls-genuine/chain-case.ts';
import type { PathObservation } from '../../core/round.ts';
import type { RoundObservations } from '../../core/round.ts';
import { controlChainsOf, judgeTlsPath, type TlsKnowledge } from '../tls-genuine/judge-path.ts';

/** What all sources together say about our clock. */
export interface ClockEstimate {
  /** Their time minus ours: the median. */
  readonly offsetMs: Millis;
  readonly precisionMs: Millis;
  /** `host:port` of those that say the same. */
  readonly supporters: readonly string[];
  /** An NTP server, a server that proved who it is, or two different sources say the same: enough to believe it. */
  readonly trusted: boolean;
}

/** Our own clock, as a round found it. */
export interface OwnClock {
  /** Null: no source told the time. */
  readonly estimate: ClockEstimate | null;
  /** Our wall clock minus our monotonic clock when the round began. */
  readonly clockBase: Millis;
}

/** What was confirmed stays true until our clock is set; adjusting it slowly changes less than this. */
const CLOCK_WAS_SET: Millis = 2000;

/** Whether our clock was set between two moments, by its wall clock minus its monotonic clock at each. */
export function wasClockSet(baseBefore: Millis, baseNow: Millis): boolean {
  return Math.abs(baseNow - baseBefore) > CLOCK_WAS_SET;
}

/**
 * Our own clock as it was confirmed last: by this round, or by an earlier one since which it was not set. An outage that
 * keeps all time sources away must not undo what is known.
 */
export function confirmedClock(now: OwnClock | null, before: OwnClock | null): OwnClock | null {
  if (now?.estimate?.trusted === true || before === null) return now;
  return now === null || !wasClockSet(before.clockBase, now.clockBase) ? before : now;
}

/** Beyond the precision of both: servers are allowed to be off a little. */
const TOLERANCE: Millis = 2000;

interface Reading {
  readonly source: string;
  readonly protocol: ClockObservation['protocol'];
  readonly offsetMs: Millis;
  readonly precisionMs: Millis;
}

/** null: no source told the time. */
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

/** Of two in the middle, the one that speaks for our clock: without a majority nobody is accused. */
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
 * The best estimate of the true time, for the dates of certificates: `now` unless sources that can be believed say by
 * how much it is wrong.
 */
export function correctedNow(now: EpochMs, observations: readonly ClockObservation[]): EpochMs {
  const estimate = estimateClock(observations);
  if (estimate === null || !estimate.trusted || Math.abs(estimate.offsetMs) <= estimate.precisionMs) return now;
  return Math.round(now + estimate.offsetMs);
}

/** A `Date` header is cut to whole seconds (RFC 9110 §5.6.7), so the time meant is half a second later on average. */
const HALF_SECOND: Millis = 500;

/**
 * Reads the time of a server out of an HTTP answer. The header was written at some moment between the request and its
 * arrival: the middle is assumed.
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
 * Marks the time of the licence server itself where it can be believed: its chain is genuine at the time that it tells,
 * and its certificate out of date at ours. One source alone may be wrong, but not one that proves who it is just then.
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
  // Nothing to prove where the times agree: no chain is judged twice in the quiet state.
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

/** Certificates are dated by the second, and clocks are allowed to be off by some. */
const WORTH_A_LOOK: Millis = 60_000;
