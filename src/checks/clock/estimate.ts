import type { Millis } from '../../core/clock.ts';
import type { ClockObservation } from '../../core/observation.ts';

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
