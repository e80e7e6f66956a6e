import type { Confidence, Finding } from '../../engine/model.ts';

/** The fault of one connection to the licence server. */
export interface ConnectionFault {
  /** The stage at which it failed. */
  readonly stage: 'reachability' | 'tls-genuine';
  readonly cause: NonNullable<Finding['suggests']>;
  readonly confidence: Confidence;
  readonly product: string | null;
  /** One sentence. */
  readonly claim: string;
}

/** One connection to one address. `fault` is null if it succeeded. */
export interface Connection {
  readonly address: string;
  readonly fault: ConnectionFault | null;
}

/**
 * How the failures of one share are distributed.
 * - `none`: the last connection worked, or nothing else is known.
 * - `steady`: all connections fail, as far as is known.
 * - `single`: one connection failed, and others in the same round worked.
 * - `doubtful`: one connection failed, no burst is left, and it may be chance, so nothing is concluded.
 * - `intermittent`: connections fail and work alternately, more often than by chance.
 */
type FailurePattern = 'none' | 'steady' | 'single' | 'doubtful' | 'intermittent';

/** A series of connections, from the first failure until the fault has ended. */
export interface ConnectionShare {
  /** One address, or the addresses that rotate in the DNS answers. */
  readonly addresses: readonly string[];
  /** DNS returns the addresses in rotation. While one is absent, its repair cannot be observed. */
  readonly rotates: boolean;
  readonly pattern: FailurePattern;
  /** The connections that are reported: the trail, or the latest round if single failures have ended. */
  readonly reported: readonly Connection[];
  /** The connections since the first failure, without the oldest. */
  readonly trail: readonly Connection[];
  /** Log likelihood ratio of an intermittent fault against single failures. */
  readonly score: number;
  /** Number of times that failures returned after a success. With rotation, an outage counts twice. */
  readonly returns: number;
  readonly intermittent: boolean;
  /** So many connections fail that users are affected. */
  readonly grave: boolean;
}

/** The connections of one round that belong to a share. */
export interface Sample {
  readonly own: readonly Connection[];
  /** From the burst. */
  readonly more: readonly Connection[];
  /** The limit for bursts is reached. */
  readonly burstsSpent: boolean;
}

/**
 * Single failures affect at most one in fifty connections, an intermittent fault at least one in five. Each connection
 * adds the logarithm of the ratio of both probabilities (a cumulative sum, Page 1954).
 */
const CHANCE = { single: 0.02, fault: 0.2 };
const FAILURE_WEIGHT = Math.log(CHANCE.fault / CHANCE.single);
const SUCCESS_WEIGHT = Math.log((1 - CHANCE.single) / (1 - CHANCE.fault));
/**
 * Above this score, the failures are not chance. Single failures reach it less than once a month, at one round every 30
 * s.
 */
const ENOUGH = 12.5;

/** A single failure before an outage counts as one return. */
const FEWEST_RETURNS = 2;

/**
 * Failures and successes alternate if the number of runs is at most this many standard deviations below the number
 * expected by chance (Wald and Wolfowitz 1940). Fewer runs mean blocks, that is, outages that each end with a repair.
 */
const FEWEST_RUNS = -2;

/** The share is counted over this many connections (two bursts) per address, for a limited number of addresses. */
const TRAIL = 42;
const MOST_PLACES = 4;
/** This many consecutive failures are no longer an intermittent fault. */
const STEADY_RUN = 21;
/**
 * This many consecutive failures are not an outage yet if no burst is available to confirm it. Single failures of one
 * in fifty cause them too often.
 */
const DOUBTED_RUN = 2;
/** This many consecutive failures count without confirmation by a burst. */
export const KNOWN_RUN = 5;
/** Consecutive successes that end an intermittent fault, after an outage and after a long outage. */
const REPAIRED = { afterOutage: 20, afterLong: 3 };
/** An intermittent fault becomes critical at the first share, and stays critical until it falls below the second. */
const GRAVE = { from: 1 / 3, until: 1 / 5 };

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
  const grave = isGrave(counted, share.intermittent && share.grave);
  // An outage must not remain a warning just because few connections failed before it.
  const steady = failuresInARow(counted.trail) >= (grave ? STEADY_RUN : KNOWN_RUN);
  return {
    ...counted,
    reported: counted.trail.length > 0 ? counted.trail : seen,
    grave,
    pattern: counted.intermittent && !steady ? 'intermittent' : patternOf(counted, sample),
  };
}

/** Returns the share as if these addresses had never been dialled. */
export function without(share: ConnectionShare, addresses: readonly string[]): ConnectionShare {
  const isOther = ({ address }: Connection): boolean => !addresses.includes(address);
  if (share.trail.every(isOther)) return share;
  return share.trail.filter(isOther).reduce<ConnectionShare>(count, cleared(share));
}

function cleared({ addresses, rotates }: ConnectionShare): ConnectionShare {
  return clear(addresses, rotates);
}

/** Reports whether a share is undecided or intermittent. */
export function deservesBurst(share: ConnectionShare): boolean {
  return share.intermittent || isOpen(share);
}

/**
 * Reports whether the last connection failed and it is not known yet whether all fail, or whether more failed than by
 * chance.
 */
export function isOpen(share: ConnectionShare): boolean {
  const { intermittent, trail } = share;
  return (!intermittent && lastFault(trail) !== null && failuresInARow(trail) < KNOWN_RUN) || isUndecided(share);
}

/** Reports whether the share may become intermittent, which more connections will decide. */
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

/** Returns the counts by address, the one with the most failures first. */
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
 * Reports whether a failure may be chance. Connections can be lost by chance, but a certificate cannot appear by
 * chance.
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
 * Returns how often the fault has returned. If an address failed before it rotated out and fails again when it returns,
 * the address itself is at fault.
 */
function returned({ rotates, trail }: ConnectionShare): number {
  if (trail.at(-1)?.fault !== null) return 0;
  return rotates && isAfterOutage(trail) ? FEWEST_RETURNS : 1;
}

interface TrailParts {
  /** The latest consecutive failures of the same kind as the last one. */
  readonly latest: readonly Connection[];
  readonly before: readonly Connection[];
}

function partsOf(trail: ConnectionShare['trail'], last: ConnectionFault): TrailParts {
  const begin = trail.findLastIndex(({ fault }) => fault === null || !isAlike(fault, last)) + 1;
  return { latest: trail.slice(begin), before: trail.slice(0, begin) };
}

/**
 * Reports whether the last failure starts a new fault, so that the ended one is not reported with it. After an outage,
 * one different failure is enough. After an intermittent fault, there must be too many consecutive failures to belong
 * to it.
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
 * Reports whether a certificate was shown by a party other than the server, as far as is known. Packet loss cannot
 * cause this.
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
  // The first consecutive failures count as one, because an outage that has ended is not intermittent.
  const isFirst = share.returns === 0 && !share.rotates;
  const score = (isFirst ? Math.min(share.score, FAILURE_WEIGHT) : share.score) - SUCCESS_WEIGHT;
  const next = { ...share, trail: withLast(share, connection), score };
  return score <= 0 || isRepaired(next) ? cleared(share) : next;
}

/** Reports whether the successes at the end of the trail show that the outage before them is repaired. */
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
 * Compares each address separately, because an address that always fails next to one that always works is not
 * intermittent.
 */
function alternates({ rotates, trail }: Pick<ConnectionShare, 'rotates' | 'trail'>): boolean {
  if (!trail.some(({ fault }) => fault === null)) return false;
  const places = [...Map.groupBy(trail, ({ address }) => address).values()].filter(isMixed);
  // If addresses rotate and each of them always works or always fails, the result alternates with the answers.
  if (places.length === 0) return rotates;
  const all = places.map(runsOf);
  const variance = all.reduce((sum, runs) => sum + runs.variance, 0);
  const excess = all.reduce((sum, runs) => sum + runs.count - runs.expected, 0);
  // If each address failed once and worked once, both sides are 0.
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
 * Reports whether the share is critical. Each address counts equally, regardless of its number of connections, because
 * a client can get any of them.
 */
function isGrave({ trail }: ConnectionShare, before: boolean): boolean {
  const places = byAddress(trail);
  const sum = places.reduce((shares, { failed, of }) => shares + failed / of, 0);
  return sum >= places.length * (before ? GRAVE.until : GRAVE.from);
}

/** Returns the fault of the last connection; null if it worked. */
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
