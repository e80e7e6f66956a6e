import type { Confidence, Finding } from '../../engine/model.ts';

/** Describes why one connection to the licence server failed. */
export interface ConnectionFault {
  /** The stage at which the connection failed. */
  readonly stage: 'reachability' | 'tls-genuine';
  readonly cause: NonNullable<Finding['suggests']>;
  readonly confidence: Confidence;
  readonly product: string | null;
  /** A sentence that describes the failure. */
  readonly claim: string;
}

/** One connection to one address. `fault` is null if the connection succeeded. */
export interface Connection {
  readonly address: string;
  readonly fault: ConnectionFault | null;
}

/**
 * The distribution of failures over a series of connections:
 * - `none`: The last connection worked, or there was no connection.
 * - `steady`: All known connections fail.
 * - `single`: One connection failed, but others in the same round worked.
 * - `doubtful`: One connection failed, possibly by chance, and no further burst is permitted to confirm the failure.
 * - `intermittent`: Connections alternately fail and work, more often than by chance.
 */
type FailurePattern = 'none' | 'steady' | 'single' | 'doubtful' | 'intermittent';

/** A series of connections, from the first failure until the fault has ended. */
export interface ConnectionShare {
  /** A single address, or all addresses that rotate in the DNS answers. */
  readonly addresses: readonly string[];
  /** Whether DNS returns the addresses in rotation. While an address is absent, its repair cannot be observed. */
  readonly rotates: boolean;
  readonly pattern: FailurePattern;
  /** The connections to report, which are the trail or, if single failures have ended, the latest round. */
  readonly reported: readonly Connection[];
  /** The most recent connections since the first failure. */
  readonly trail: readonly Connection[];
  /** The log-likelihood ratio of an intermittent fault to single failures. */
  readonly score: number;
  /** How often failures returned after a success. If the addresses rotate, an outage counts twice. */
  readonly returns: number;
  readonly intermittent: boolean;
  /** Whether enough connections fail to affect users. */
  readonly grave: boolean;
}

/** The connections of one round that belong to a share. */
export interface Sample {
  readonly own: readonly Connection[];
  /** The connections from the burst. */
  readonly more: readonly Connection[];
  /** Whether no further burst is permitted at the moment. */
  readonly burstsSpent: boolean;
}

/**
 * The failure probabilities. Single failures affect at most one in fifty connections, an intermittent fault at least
 * one in five. The score is a cumulative sum of the logarithms of the probability ratios (CUSUM, Page 1954).
 */
const CHANCE = { single: 0.02, fault: 0.2 };
const FAILURE_WEIGHT = Math.log(CHANCE.fault / CHANCE.single);
const SUCCESS_WEIGHT = Math.log((1 - CHANCE.single) / (1 - CHANCE.fault));
/**
 * The score above which the failures are not by chance. Single failures reach this score less than once a month if a
 * round runs every 30 s.
 */
const ENOUGH = 12.5;

/** The minimum number of returns for an intermittent fault. A single failure before an outage counts as one return. */
const FEWEST_RETURNS = 2;

/**
 * The minimum number of runs of failures and successes, in standard deviations from the number expected by chance (Wald
 * and Wolfowitz 1940). Fewer runs mean that there were separate outages, each of which ended with a repair.
 */
const FEWEST_RUNS = -2;

/** The number of connections (two bursts) per address over which the share is calculated. */
const TRAIL = 42;
const MOST_PLACES = 4;
/** The number of consecutive failures from which a fault is no longer intermittent. */
const STEADY_RUN = 21;
/**
 * The number of consecutive failures that is not yet reported as an outage unless a burst confirms it. If one in fifty
 * connections fails by chance, this number occurs too often.
 */
const DOUBTED_RUN = 2;
/** The number of consecutive failures that is reported without confirmation by a burst. */
export const KNOWN_RUN = 5;
/** The number of consecutive successes that end an intermittent fault, after an outage and after a long outage. */
const REPAIRED = { afterOutage: 20, afterLong: 3 };
/** The share of failures at which an intermittent fault becomes critical, and the share at which it no longer is. */
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
  // The share of failures before the outage is not relevant, so it does not lower the severity.
  const steady = failuresInARow(counted.trail) >= (grave ? STEADY_RUN : KNOWN_RUN);
  return {
    ...counted,
    reported: counted.trail.length > 0 ? counted.trail : seen,
    grave,
    pattern: counted.intermittent && !steady ? 'intermittent' : patternOf(counted, sample),
  };
}

/** Returns the share without any connections to these addresses. */
export function without(share: ConnectionShare, addresses: readonly string[]): ConnectionShare {
  const isOther = ({ address }: Connection): boolean => !addresses.includes(address);
  if (share.trail.every(isOther)) return share;
  return share.trail.filter(isOther).reduce<ConnectionShare>(count, cleared(share));
}

function cleared({ addresses, rotates }: ConnectionShare): ConnectionShare {
  return clear(addresses, rotates);
}

/** Reports whether a burst is useful, because the share is undecided or intermittent. */
export function deservesBurst(share: ConnectionShare): boolean {
  return share.intermittent || isOpen(share);
}

/**
 * Reports whether the last connection failed and it is not yet known whether all connections fail, or more than by
 * chance.
 */
export function isOpen(share: ConnectionShare): boolean {
  const { intermittent, trail } = share;
  return (!intermittent && lastFault(trail) !== null && failuresInARow(trail) < KNOWN_RUN) || isUndecided(share);
}

/** Reports whether more connections are needed to decide whether the share is intermittent. */
export function isUndecided({ intermittent, returns, score }: ConnectionShare): boolean {
  return !intermittent && returns >= FEWEST_RETURNS && score >= ENOUGH / 2;
}

/** Reports whether the last failure differs from all earlier ones and may be another fault. */
export function hasFailedOtherwise({ trail }: ConnectionShare): boolean {
  const last = lastFault(trail);
  return last !== null && isUnlike(last, partsOf(trail, last).before);
}

/** Returns the most frequent fault. */
export function mainFault({ trail }: ConnectionShare): ConnectionFault | null {
  const groups = [...Map.groupBy(faultsOf(trail), ({ stage, cause }) => `${stage} ${cause}`).values()];
  const [most] = groups.toSorted((left, right) => right.length - left.length);
  return most?.at(-1) ?? null;
}

export function failedIn(connections: readonly Connection[]): number {
  return faultsOf(connections).length;
}

/** Returns the number of connections and failures for each address, sorted by failures in descending order. */
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
  return burstsSpent && failuresInARow(trail) <= DOUBTED_RUN && own.every(mayBeChance) ? 'doubtful' : 'steady';
}

/**
 * Reports whether a failure can occur by chance. A connection can be lost by chance, but a wrong certificate cannot
 * appear by chance.
 */
function mayBeChance({ fault }: Connection): boolean {
  return fault?.confidence !== 'confirmed' && !isForged(fault);
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
 * Returns the number to add to `returns`. If the addresses rotate, the return of an outage counts twice, because an
 * address that still fails when it is in the DNS answers again is itself at fault.
 */
function returned({ rotates, trail }: ConnectionShare): number {
  if (trail.at(-1)?.fault !== null) return 0;
  return rotates && isAfterOutage(trail) ? FEWEST_RETURNS : 1;
}

interface TrailParts {
  /** The consecutive failures at the end that are of the same kind as the last failure. */
  readonly latest: readonly Connection[];
  readonly before: readonly Connection[];
}

function partsOf(trail: ConnectionShare['trail'], last: ConnectionFault): TrailParts {
  const begin = trail.findLastIndex(({ fault }) => fault === null || !isAlike(fault, last)) + 1;
  return { latest: trail.slice(begin), before: trail.slice(0, begin) };
}

/**
 * Reports whether the last failure starts a new fault. After an outage, one failure of a different kind is sufficient.
 * After an intermittent fault, there must be more consecutive failures than the intermittent fault can cause.
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

/**
 * Reports whether a certificate was probably presented by a device other than the server, which packet loss cannot
 * cause.
 */
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
  // Consecutive failures at the start count as one failure, because an outage that has ended is not intermittent.
  const isFirst = share.returns === 0 && !share.rotates;
  const score = (isFirst ? Math.min(share.score, FAILURE_WEIGHT) : share.score) - SUCCESS_WEIGHT;
  const next = { ...share, trail: withLast(share, connection), score };
  return score <= 0 || isRepaired(next) ? cleared(share) : next;
}

/** Reports whether there are enough successes at the end to prove that the preceding outage was repaired. */
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

/**
 * Evaluates each address separately. If one address always fails and another always works, the fault is not
 * intermittent.
 */
function alternates({ rotates, trail }: Pick<ConnectionShare, 'rotates' | 'trail'>): boolean {
  if (!trail.some(({ fault }) => fault === null)) return false;
  const places = [...Map.groupBy(trail, ({ address }) => address).values()].filter(isMixed);
  // If each rotating address always works or always fails, the results only alternate because of the rotation.
  if (places.length === 0) return rotates;
  const all = places.map(runsOf);
  const variance = all.reduce((sum, runs) => sum + runs.variance, 0);
  const excess = all.reduce((sum, runs) => sum + runs.count - runs.expected, 0);
  // If each address failed once and worked once, both sides of the comparison are 0.
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

/**
 * Reports whether the share of failures is critical. Each address has the same weight, regardless of its number of
 * connections, because a client can get any address.
 */
function isCriticalShare({ trail }: ConnectionShare, before: boolean): boolean {
  const places = byAddress(trail);
  const sum = places.reduce((shares, { failed, of }) => shares + failed / of, 0);
  return sum >= places.length * (before ? CRITICAL.until : CRITICAL.from);
}

/** Returns the fault of the last connection; null if the last connection worked. */
function lastFault(trail: ConnectionShare['trail']): ConnectionFault | null {
  return trail.at(-1)?.fault ?? null;
}

/** Returns the number of failures at the end of the trail. */
export function failuresInARow(trail: ConnectionShare['trail']): number {
  return trail.length - 1 - trail.findLastIndex(({ fault }) => fault === null);
}

function faultsOf(trail: readonly Connection[]): readonly ConnectionFault[] {
  return trail.flatMap(({ fault }) => fault ?? []);
}
