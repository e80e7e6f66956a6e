import type { Declaration, Facts, Judgement, RoundFacts } from '../check.ts';
import { fromRound, judged, notConfigured } from '../judgement.ts';
import { CLOCK_CAUSES } from './causes.ts';
import { blockPageText } from '../../core/block-page.ts';
import type { Millis, EpochMs } from '../../core/clock.ts';
import { nameList } from '../../core/visible-text.ts';
import { withMore } from '../../engine/words.ts';
import { spanText } from '../../core/time-text.ts';
import { type Finding, note, unknown, warning } from '../../engine/model.ts';
import type { ClockEstimate, ClockObservation, HttpOutcome, OwnClock } from '../../core/observation.ts';
import type { Verdict } from '../tls-genuine/chain-case.ts';
import { isInvalid, type PathObservation, type RoundObservations } from '../../core/round.ts';
import { controlChainsOf, judgeTlsPath, type TlsKnowledge } from '../tls-genuine/judge-path.ts';

type ClockCause = keyof typeof CLOCK_CAUSES;

const RULE = 'clock-agrees';
export const CLOCK_SUBJECT = 'the clock of ftm-watch';

function judgeClock(observations: readonly ClockObservation[], maxOffset: Millis): readonly Finding[] {
  const expected = `a difference of less than ${spanText(maxOffset)} from other clocks`;
  const estimate = estimateClock(observations);
  if (estimate === null) return [timeUnknown(observations, expected)];
  const { offsetMs, precisionMs, supporters, trusted } = estimate;
  if (Math.abs(offsetMs) - precisionMs <= maxOffset) return [];
  const off = `${spanText(Math.abs(offsetMs))} ${offsetMs > 0 ? 'behind' : 'ahead'}`;
  const claim = `The clock is ${off}, according to ${nameList(supporters, 3)}.`;
  const told = { rule: RULE, subject: CLOCK_SUBJECT, claim, expected };
  return [
    trusted
      ? warning('clock-skewed', { ...told, facts: { found: off } })
      : note({ ...told, claim: withMore(claim, ' ', 'alone, which may be wrong') }),
  ];
}

function timeUnknown(observations: readonly ClockObservation[], expected: string): Finding {
  const failures = observations.flatMap(({ source, outcome }) =>
    outcome.kind === 'failed' ? [`${source}: ${outcome.message}`] : [],
  );
  const quote = failures.slice(0, 3).join('; ');
  const claim = 'No source returned the time.';
  const told = { rule: RULE, subject: CLOCK_SUBJECT, claim, expected, ...(quote === '' ? {} : { quote }) };
  return observations.some(({ protocol }) => protocol === 'ntp') ? unknown(told) : note(told);
}

export const clock: Declaration<'clock', ClockCause> = {
  id: 'clock',
  title: 'Clock',
  dependsOn: [],
  countsForReady: false,
  causes: CLOCK_CAUSES,
  unknownRemedy: 'In "clock.ntp", list time servers that ftm-watch can reach on UDP port 123.',
  place: { kind: 'branch', name: 'Clock', hint: 'of this monitor' },
  step: 'tls',
  sources: ['round'],
  judge: (facts) => fromRound('clock', judgeClocks(facts), facts),
};

/** Without an NTP server, the time is known only if an HTTP response contains it, so a missing time is not a fault. */
function judgeClocks({ config: { clock: settings }, round: { clock: observations } }: Facts): Judgement {
  return settings.ntp.length === 0 && !observations.some(({ outcome }) => outcome.kind === 'offset')
    ? notConfigured('No NTP server is configured, and no answer contained the time')
    : judged(judgeClock(observations, settings.maxOffset), 'The clock agrees with other clocks');
}

/** NTP's gradual adjustments are smaller than this. */
const CLOCK_WAS_SET: Millis = 2000;

/** Each argument is the wall clock minus the monotonic clock at one moment. */
export function wasClockSet(baseBefore: Millis, baseNow: Millis): boolean {
  return Math.abs(baseNow - baseBefore) > CLOCK_WAS_SET;
}

/** A confirmed state stays valid until the clock is set, even if all time sources fail in later rounds. */
export function confirmedClock(now: OwnClock | null, before: OwnClock | null): OwnClock | null {
  if (now?.estimate?.trusted === true || before === null) return now;
  return now === null || !wasClockSet(before.clockBase, now.clockBase) ? before : now;
}

/** Added to the precision of two readings, because time servers can differ slightly. */
const TOLERANCE: Millis = 2000;

interface Reading {
  readonly source: string;
  readonly protocol: ClockObservation['protocol'];
  readonly offsetMs: Millis;
  readonly precisionMs: Millis;
}

function estimateClock(observations: readonly ClockObservation[]): ClockEstimate | null {
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

/** Of two middle values, the one closer to this machine's clock is used, because no majority contradicts this clock. */
function medianOf(sorted: readonly Reading[]): Reading | null {
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  if (upper === undefined || lower === undefined) return null;
  return Math.abs(lower.offsetMs) < Math.abs(upper.offsetMs) ? lower : upper;
}

function agrees(left: Reading, right: Reading): boolean {
  return Math.abs(left.offsetMs - right.offsetMs) <= left.precisionMs + right.precisionMs + TOLERANCE;
}

/** Null if the round did not determine it. */
export function ownClockOf({ observations, clock }: Pick<RoundFacts, 'observations' | 'clock'>): OwnClock | null {
  return isInvalid(observations) ? null : { estimate: estimateClock(clock), clockBase: observations.clockBase };
}

/** Returns the best estimate of the true time, for checking certificate dates. */
export function correctedNow(now: EpochMs, observations: readonly ClockObservation[]): EpochMs {
  const estimate = estimateClock(observations);
  if (estimate === null || !estimate.trusted || Math.abs(estimate.offsetMs) <= estimate.precisionMs) return now;
  return Math.round(now + estimate.offsetMs);
}

/** Average rounding error of a `Date` header, which contains only whole seconds (RFC 9110 §5.6.7). */
const HALF_SECOND: Millis = 500;

/**
 * The server's time is assumed to have been taken halfway between request and response.
 * @param source the server, as `host:port`
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
        message: 'The server requires a client certificate',
        durationMs: http.durationMs,
      };
    case 'response': {
      const { date, receivedAt, blockPage, durationMs } = http;
      const failed = (message: string) => ({ kind: 'failed', reason: 'protocol', message, durationMs }) as const;
      // One device on the path could otherwise confirm itself under the names of several hosts.
      if (blockPage !== null) return failed(`The answer is ${blockPageText(blockPage)}`);
      if (date === null) return failed('The answer has no valid Date header');
      const half = durationMs / 2;
      return { kind: 'offset', offsetMs: date + HALF_SECOND - (receivedAt - half), precisionMs: HALF_SECOND + half };
    }
  }
}

/** Returns what the time servers and the answers of a round say about this machine's clock. */
export function clockObservations(
  round: Pick<RoundObservations, 'path' | 'controls' | 'startedAt' | 'ntp'>,
  knowledgeOf: (target: string) => TlsKnowledge,
): readonly ClockObservation[] {
  const headers = [...round.controls, round.path.licenseServer].flatMap(({ subject, endpoints }) =>
    endpoints.flatMap(({ http }) => (http?.kind === 'response' ? [observeDateHeader(subject, http)] : [])),
  );
  return withGenuineTime([...round.ntp, ...headers], round, knowledgeOf);
}

const GENUINE: readonly Verdict[] = ['genuine', 'rotated'];

/**
 * Marks the licence server's time as trusted if the server's chain is genuine and valid at that time, but not at this
 * machine's time. In this case, a single source is sufficient, because its chain authenticates the server.
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
  // If the licence server's time agrees with this machine's time, the chain is not verified a second time.
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

const WORTH_A_LOOK: Millis = 60_000;
