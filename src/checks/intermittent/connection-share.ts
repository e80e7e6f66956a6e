import type { Confidence, Finding } from '../../engine/model.ts';

export interface ConnectionFault {
  readonly stage: 'reachability' | 'tls-genuine';
  readonly cause: NonNullable<Finding['suggests']>;
  readonly confidence: Confidence;
  readonly product: string | null;
  readonly claim: string;
}

export interface Connection {
  readonly address: string;
  readonly fault: ConnectionFault | null;
}

/**
 * Pattern of failures in a series of connections:
 * - `none`: The last connection worked, or there was no connection.
 * - `steady`: All known connections fail.
 * - `single`: One connection failed, but others in the same round worked.
 * - `doubtful`: One connection failed, possibly by chance, and the limits permit no further burst to confirm the
 *   failure.
 * - `intermittent`: Connections alternately fail and work, more often than by chance.
 */
type FailurePattern = 'none' | 'steady' | 'single' | 'doubtful' | 'intermittent';

/** State of a series of connections, from the first failure until the fault has ended. */
export interface ConnectionShare {
  /** A single address, or all addresses between which the DNS answers rotate. */
  readonly addresses: readonly string[];
  /** DNS returns the addresses in rotation. While DNS omits an address, its repair cannot be observed. */
  readonly rotates: boolean;
  readonly pattern: FailurePattern;
  /** Usually the whole trail, or only the latest round if isolated failures have ended. */
  readonly reported: readonly Connection[];
  /** The latest connections, starting at the first failure or later. */
  readonly trail: readonly Connection[];
  /** Log-likelihood ratio of an intermittent fault to isolated failures. */
  readonly score: number;
  /** How often failures returned after a success. If the addresses rotate, a failure after an outage counts twice. */
  readonly returns: number;
  readonly intermittent: boolean;
  /** True if enough connections fail to affect users. */
  readonly grave: boolean;
}

export interface Sample {
  readonly own: readonly Connection[];
  readonly more: readonly Connection[];
  /** True if the limits currently permit no further burst. */
  readonly burstsSpent: boolean;
}

/**
 * Assumed failure probabilities. Isolated failures affect at most one in fifty connections, and an intermittent fault
 * affects at least one in five. The score is the cumulative sum of the log-likelihood ratios (CUSUM, Page 1954).
 */
const CHANCE = { single: 0.02, fault: 0.2 };
const FAILURE_WEIGHT = Math.log(CHANCE.fault / CHANCE.single);
const SUCCESS_WEIGHT = Math.log((1 - CHANCE.single) / (1 - CHANCE.fault));
/**
 * Score above which failures are no longer attributed to chance. With a round every 30 s, isolated failures reach this
 * score less than once a month.
 */
const ENOUGH = 12.5;

/**
 * Number of times that failures must recur after a success before the fault is considered intermittent. A single
 * failure before an outage counts as one recurrence.
 */
const FEWEST_RETURNS = 2;

/**
 * Lower limit for the number of runs of failures and successes, in standard deviations from the number expected by
 * chance (Wald and Wolfowitz 1940). Fewer runs mean that there were separate outages, each of which ended with a
 * repair.
 */
const FEWEST_RUNS = -2;

/** Connections per address. Corresponds to two bursts. */
const TRAIL = 42;
const MOST_PLACES = 4;
const STEADY_RUN = 21;
/**
 * This many consecutive failures are reported as an outage only after a burst confirms them. If one in fifty
 * connections fails by chance, two failures in a row are too common to prove an outage.
 */
const DOUBTED_RUN = 2;
/** This many consecutive failures are reported as an outage without a burst to confirm them. */
export const KNOWN_RUN = 5;
/** Consecutive successes that end an intermittent fault. After a long outage, fewer successes are enough. */
const REPAIRED = { afterOutage: 20, afterLong: 3 };
/** A fault becomes critical when its share reaches `from`, and stops being critical at `until`. */
const CRITICAL = { from: 1 / 3, until: 1 / 5 };

export function clear(addresses: readonly string[], rotates = false): ConnectionShare {
  return {
    addresses,
    rotates,
    pattern: 'none',
    reported: [],
    trail: [],
    score: 0,
    returns: 0,
    intermittent: false,
    grave: false,
  };
}

export function shareAfter(share: ConnectionShare, sample: Sample): ConnectionShare {
  const seen = [...sample.own, ...sample.more];
  const counted = seen.reduce<ConnectionShare>(count, share);
  const grave = isCriticalShare(counted, share.intermittent && share.grave);
  // Connections made before the outage are ignored, so that they do not lower the severity.
  const steady = failuresInARow(counted.trail) >= (grave ? STEADY_RUN : KNOWN_RUN);
  return {
    ...counted,
    reported: counted.trail.length > 0 ? counted.trail : seen,
    grave,
    pattern: counted.intermittent && !steady ? 'intermittent' : patternOf(counted, sample),
  };
}

export function without(share: ConnectionShare, addresses: readonly string[]): ConnectionShare {
  const isOther = ({ address }: Connection): boolean => !addresses.includes(address);
  if (share.trail.every(isOther)) return share;
  return share.trail.filter(isOther).reduce<ConnectionShare>(count, cleared(share));
}

function cleared({ addresses, rotates }: ConnectionShare): ConnectionShare {
  return clear(addresses, rotates);
}

/** A burst is useful if the fault is undecided or intermittent. */
export function deservesBurst(share: ConnectionShare): boolean {
  return share.intermittent || isOpen(share);
}

/** The last connection failed and the pattern is still undecided. */
export function isOpen(share: ConnectionShare): boolean {
  const { intermittent, trail } = share;
  return (!intermittent && lastFault(trail) !== null && failuresInARow(trail) < KNOWN_RUN) || isUndecided(share);
}

/** More connections are needed to decide whether the fault is intermittent. */
export function isUndecided({ intermittent, returns, score }: ConnectionShare): boolean {
  return !intermittent && returns >= FEWEST_RETURNS && score >= ENOUGH / 2;
}

/** A failure that differs from all earlier failures may have a different cause. */
export function hasFailedOtherwise({ trail }: ConnectionShare): boolean {
  const last = lastFault(trail);
  return last !== null && isUnlike(last, partsOf(trail, last).before);
}

export function mainFault({ trail }: ConnectionShare): ConnectionFault | null {
  const groups = [...Map.groupBy(faultsOf(trail), ({ stage, cause }) => `${stage} ${cause}`).values()];
  const [most] = groups.toSorted((left, right) => right.length - left.length);
  return most?.at(-1) ?? null;
}

export function failedIn(connections: readonly Connection[]): number {
  return faultsOf(connections).length;
}

/** Sorted by number of failures, highest first. */
export function byAddress(
  connections: readonly Connection[],
): readonly { readonly address: string; readonly failed: number; readonly of: number }[] {
  return [...Map.groupBy(connections, ({ address }) => address)]
    .map(([address, own]) => ({ address, failed: failedIn(own), of: own.length }))
    .toSorted((left, right) => right.failed - left.failed);
}

function patternOf({ trail }: ConnectionShare, { own, more, burstsSpent }: Sample): FailurePattern {
  if (!own.some(({ fault }) => fault !== null)) return 'none';
  if (more.length > 0) return more.some(({ fault }) => fault === null) ? 'single' : 'steady';
  // A connection can fail by chance, but a wrong certificate is never received by chance.
  const mayBeChance = own.every(({ fault }) => fault?.confidence !== 'confirmed' && !isForged(fault));
  return burstsSpent && failuresInARow(trail) <= DOUBTED_RUN && mayBeChance ? 'doubtful' : 'steady';
}

function count(share: ConnectionShare, connection: Connection): ConnectionShare {
  const { fault } = connection;
  return fault === null ? afterSuccess(share, connection) : afterFailure(share, connection, fault);
}

function afterFailure(share: ConnectionShare, connection: Connection, fault: ConnectionFault): ConnectionShare {
  const returns = share.returns + returned(share);
  const score = Math.min(ENOUGH, share.score + FAILURE_WEIGHT);
  const trail = withLast(share, connection);
  const begins = returns >= FEWEST_RETURNS && score >= ENOUGH && alternates({ ...share, trail });
  const parts = partsOf(trail, fault);
  return isAnotherFault(share, fault, parts)
    ? parts.latest.reduce<ConnectionShare>(count, cleared(share))
    : { ...share, trail, returns, score, intermittent: share.intermittent || begins };
}

/**
 * If the addresses rotate, a failure after an outage counts twice. If DNS returns an address again and the address
 * fails again, the address itself is at fault.
 */
function returned({ rotates, trail }: ConnectionShare): number {
  if (trail.at(-1)?.fault !== null) return 0;
  return rotates && isAfterOutage(trail) ? FEWEST_RETURNS : 1;
}

interface TrailParts {
  readonly latest: readonly Connection[];
  readonly before: readonly Connection[];
}

function partsOf(trail: ConnectionShare['trail'], last: ConnectionFault): TrailParts {
  const begin = trail.findLastIndex(({ fault }) => fault === null || !isAlike(fault, last)) + 1;
  return { latest: trail.slice(begin), before: trail.slice(0, begin) };
}

/**
 * After an outage, one failure of a different kind starts a new fault. After an intermittent fault, a new fault starts
 * only with more consecutive failures than the intermittent fault can explain.
 */
function isAnotherFault({ intermittent }: ConnectionShare, last: ConnectionFault, parts: TrailParts): boolean {
  if (!isUnlike(last, parts.before)) return false;
  return parts.latest.length >= KNOWN_RUN || (!intermittent && isAfterOutage(parts.before));
}

function isUnlike(last: ConnectionFault, before: TrailParts['before']): boolean {
  const known = faultsOf(before);
  return known.length > 0 && !known.some((fault) => isAlike(fault, last));
}

export function isAlike(one: ConnectionFault, other: ConnectionFault): boolean {
  return one.stage === other.stage && one.cause === other.cause;
}

/** Packet loss cannot cause a forged certificate. */
export function isForged(fault: ConnectionFault | null): boolean {
  return fault?.cause === 'tls-intercepted' || fault?.cause === 'tls-interception-suspected';
}

function withLast({ addresses, trail }: ConnectionShare, connection: Connection): readonly Connection[] {
  const places = Math.min(Math.max(addresses.length, 1), MOST_PLACES);
  return [...trail, connection].slice(-TRAIL * places);
}

function isAfterOutage(trail: ConnectionShare['trail']): boolean {
  return failuresInARow(trail.slice(0, trail.findLastIndex(({ fault }) => fault !== null) + 1)) >= KNOWN_RUN;
}

function afterSuccess(share: ConnectionShare, connection: Connection): ConnectionShare {
  // Consecutive failures at the start count as one failure, because a single outage that has ended is not an
  // intermittent fault.
  const isFirst = share.returns === 0 && !share.rotates;
  const score = (isFirst ? Math.min(share.score, FAILURE_WEIGHT) : share.score) - SUCCESS_WEIGHT;
  const next = { ...share, trail: withLast(share, connection), score };
  return score <= 0 || isRepaired(next) ? cleared(share) : next;
}

/** Returns whether the trail ends with enough successes to prove a repair. */
function isRepaired({ trail, ...share }: ConnectionShare): boolean {
  const worksFrom = trail.findLastIndex(({ fault }) => fault !== null) + 1;
  const until = trail.slice(0, worksFrom);
  const failed = failuresInARow(until);
  const worked = trail.slice(worksFrom);
  const isAway = ({ address }: Connection): boolean => worked.every((other) => other.address !== address);
  if (failed < KNOWN_RUN || until.slice(-failed).some(isAway)) return false;
  if (!share.intermittent && (share.returns < FEWEST_RETURNS || !alternates({ ...share, trail: until }))) return true;
  return worked.length >= (failed >= STEADY_RUN ? REPAIRED.afterLong : REPAIRED.afterOutage);
}

/** If one address always fails and another always works, the fault is not intermittent. */
function alternates({ rotates, trail }: Pick<ConnectionShare, 'rotates' | 'trail'>): boolean {
  if (!trail.some(({ fault }) => fault === null)) return false;
  const places = [...Map.groupBy(trail, ({ address }) => address).values()].filter(isMixed);
  // If every address either always works or always fails, the results alternate only because the addresses rotate.
  if (places.length === 0) return rotates;
  const all = places.map(runsOf);
  const variance = all.reduce((sum, runs) => sum + runs.variance, 0);
  const excess = all.reduce((sum, runs) => sum + runs.count - runs.expected, 0);
  // `>=` is required, because both sides are 0 if each address failed once and worked once.
  return excess >= FEWEST_RUNS * Math.sqrt(variance);
}

function isMixed(trail: ConnectionShare['trail']): boolean {
  const failed = failedIn(trail);
  return failed > 0 && failed < trail.length;
}

interface Runs {
  readonly count: number;
  readonly expected: number;
  readonly variance: number;
}

function runsOf(trail: ConnectionShare['trail']): Runs {
  const failures = trail.map(({ fault }) => fault !== null);
  const failed = failedIn(trail);
  const expected = 1 + (2 * failed * (trail.length - failed)) / trail.length;
  return {
    count: failures.filter((one, index) => one !== failures[index - 1]).length,
    expected,
    variance: ((expected - 1) * (expected - 2)) / (trail.length - 1),
  };
}

/** All addresses have the same weight, because a client can get any address. */
function isCriticalShare({ trail }: ConnectionShare, before: boolean): boolean {
  const places = byAddress(trail);
  const sum = places.reduce((shares, { failed, of }) => shares + failed / of, 0);
  return sum >= places.length * (before ? CRITICAL.until : CRITICAL.from);
}

function lastFault(trail: ConnectionShare['trail']): ConnectionFault | null {
  return trail.at(-1)?.fault ?? null;
}

export function failuresInARow(trail: ConnectionShare['trail']): number {
  return trail.length - 1 - trail.findLastIndex(({ fault }) => fault === null);
}

function faultsOf(trail: readonly Connection[]): readonly ConnectionFault[] {
  return trail.flatMap(({ fault }) => fault ?? []);
}
