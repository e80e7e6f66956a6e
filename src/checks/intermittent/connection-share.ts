import type { Confidence, Finding } from '../../engine/model.ts';

/** What was wrong with one connection to the licence server. */
export interface ConnectionFault {
  /** How far it got. */
  readonly stage: 'reachability' | 'tls-genuine';
  readonly cause: NonNullable<Finding['suggests']>;
  readonly confidence: Confidence;
  readonly product: string | null;
  /** One sentence. */
  readonly claim: string;
}

/** One connection to one address. `fault` is null where it showed what it should. */
export interface Connection {
  readonly address: string;
  readonly fault: ConnectionFault | null;
}

/**
 * What the failures of one share are.
 * - `none`: the last connection worked, or nothing else is known.
 * - `steady`: they fail all, as far as is known.
 * - `single`: one failed, and others of the same round worked.
 * - `doubtful`: one failed while no burst is left, and chance may explain it: too little to say so.
 * - `intermittent`: they come and go, by more than chance.
 */
export type FailurePattern = 'none' | 'steady' | 'single' | 'doubtful' | 'intermittent';

/** Connections, from the first failure on until the fault is past. */
export interface ConnectionShare {
  /** One address, or those that take turns in the answers to a name. */
  readonly addresses: readonly string[];
  /** The name gives them in turn: while one is away, nothing shows its repair. */
  readonly rotates: boolean;
  readonly pattern: FailurePattern;
  /** Those that people read of: the trail, or the latest round where single failures are past again. */
  readonly reported: readonly Connection[];
  /** The connections since, the oldest left out. */
  readonly trail: readonly Connection[];
  /** How much more likely an intermittent fault is than single failures, as a logarithm. */
  readonly score: number;
  /** How often a failure came after a success that came after a failure; in rotation, an outage counts twice. */
  readonly returns: number;
  readonly intermittent: boolean;
  /** So many fail that people feel it. */
  readonly grave: boolean;
}

/** What one round showed of a share. */
export interface Sample {
  readonly own: readonly Connection[];
  /** Of the burst. */
  readonly more: readonly Connection[];
  /** There were so many bursts that none can follow. */
  readonly burstsSpent: boolean;
}

/**
 * Single failures are one of fifty connections at most, an intermittent fault is at least one of five: each
 * connection speaks for one or the other by the logarithm of their ratio (a cumulative sum, Page 1954).
 */
const CHANCE = { single: 0.02, fault: 0.2 };
const FAILURE_WEIGHT = Math.log(CHANCE.fault / CHANCE.single);
const SUCCESS_WEIGHT = Math.log((1 - CHANCE.single) / (1 - CHANCE.fault));
/** Beyond it the failures are no chance: single ones get there less than once a month at a round every 30 s. */
const ENOUGH = 12.5;

/** A single failure before an outage is one return. */
const FEWEST_RETURNS = 2;

/**
 * Failures and successes alternate while the number of runs is at most this many standard deviations below what
 * chance gives (Wald and Wolfowitz 1940). Fewer runs are blocks: outages, each of which is over with its repair.
 */
const FEWEST_RUNS = -2;

/** The share is counted over this many connections for each of some addresses at most: two bursts. */
const TRAIL = 42;
const MOST_PLACES = 4;
/** So many failures in a row, without a success, are no intermittent fault any more. */
const STEADY_RUN = 21;
/**
 * So many in a row are no outage yet where no burst can tell: among single failures of one in fifty they are too
 * frequent.
 */
const DOUBTED_RUN = 2;
/** So many in a row need no burst to be believed. */
export const KNOWN_RUN = 5;
/** Successes in a row that end an intermittent fault: after an outage, and after a long one. */
const REPAIRED = { afterOutage: 20, afterLong: 3 };
/** From this share on an intermittent fault is critical, until it has fallen below the other one. */
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
  // An outage must not stay a warning because few connections failed before it.
  const steady = failuresInARow(counted.trail) >= (grave ? STEADY_RUN : KNOWN_RUN);
  return {
    ...counted,
    reported: counted.trail.length > 0 ? counted.trail : seen,
    grave,
    pattern: counted.intermittent && !steady ? 'intermittent' : patternOf(counted, sample),
  };
}

/** As if these addresses had never been dialled. */
export function without(share: ConnectionShare, addresses: readonly string[]): ConnectionShare {
  const isOther = ({ address }: Connection): boolean => !addresses.includes(address);
  if (share.trail.every(isOther)) return share;
  return share.trail.filter(isOther).reduce<ConnectionShare>(count, cleared(share));
}

function cleared({ addresses, rotates }: ConnectionShare): ConnectionShare {
  return clear(addresses, rotates);
}

/** What is open, or an intermittent fault. */
export function deservesBurst(share: ConnectionShare): boolean {
  return share.intermittent || isOpen(share);
}

/** The last connection failed, and it is not known yet whether they all do; or more failed than single ones would. */
export function isOpen(share: ConnectionShare): boolean {
  const { intermittent, trail } = share;
  return (!intermittent && lastFault(trail) !== null && failuresInARow(trail) < KNOWN_RUN) || isUndecided(share);
}

/** On the way to an intermittent fault: more connections decide it. */
export function isUndecided({ intermittent, returns, score }: ConnectionShare): boolean {
  return !intermittent && returns >= FEWEST_RETURNS && score >= ENOUGH / 2;
}

/** The last failure is none of those that came and went until then: it may be another fault. */
export function hasFailedOtherwise({ trail }: ConnectionShare): boolean {
  const last = lastFault(trail);
  return last !== null && isUnlike(last, partsOf(trail, last).before);
}

/** What most of the failures were. */
export function mainFault({ trail }: ConnectionShare): ConnectionFault | null {
  const groups = [...Map.groupBy(faultsOf(trail), ({ stage, cause }) => `${stage} ${cause}`).values()];
  const [most] = groups.toSorted((left, right) => right.length - left.length);
  return most?.at(-1) ?? null;
}

export function failedIn(connections: readonly Connection[]): number {
  return faultsOf(connections).length;
}

/** The address with the most failures first. */
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

/** Connections get lost; a certificate that somebody showed was there. */
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

/** What failed before an address rotated out, and fails again with its return, is the address. */
function returned({ rotates, trail }: ConnectionShare): number {
  if (trail.at(-1)?.fault !== null) return 0;
  return rotates && isAfterOutage(trail) ? FEWEST_RETURNS : 1;
}

interface TrailParts {
  /** The failures in a row that are like the last one, up to it. */
  readonly latest: readonly Connection[];
  readonly before: readonly Connection[];
}

function partsOf(trail: ConnectionShare['trail'], last: ConnectionFault): TrailParts {
  const begin = trail.findLastIndex(({ fault }) => fault === null || !isAlike(fault, last)) + 1;
  return { latest: trail.slice(begin), before: trail.slice(0, begin) };
}

/**
 * What has ended is told no more with what fails in another way: after an outage at once, and where failures came and
 * went when there are so many in a row that these are none of them.
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

/** Somebody else than the server showed a certificate, as far as is known: no lost packet makes that. */
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
  // The first failures in a row count as one: an outage that ended does not alternate.
  const isFirst = share.returns === 0 && !share.rotates;
  const score = (isFirst ? Math.min(share.score, FAILURE_WEIGHT) : share.score) - SUCCESS_WEIGHT;
  const next = { ...share, trail: withLast(share, connection), score };
  return score <= 0 || isRepaired(next) ? cleared(share) : next;
}

/** Whether the successes at the end of the trail are the repair of the outage before them. */
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

/** Each address by itself, since one that always fails beside one that always works does not alternate. */
function alternates({ rotates, trail }: Pick<ConnectionShare, 'rotates' | 'trail'>): boolean {
  if (!trail.some(({ fault }) => fault === null)) return false;
  const places = [...Map.groupBy(trail, ({ address }) => address).values()].filter(isMixed);
  // Addresses that take turns, each of which always works or always fails, alternate with the answers.
  if (places.length === 0) return rotates;
  const all = places.map(runsOf);
  const variance = all.reduce((sum, runs) => sum + runs.variance, 0);
  const excess = all.reduce((sum, runs) => sum + runs.count - runs.expected, 0);
  // Where each has failed once and worked once, there is neither.
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

/** Each address counts the same, however many of the connections went there: who comes next gets any of them. */
function isGrave({ trail }: ConnectionShare, before: boolean): boolean {
  const places = byAddress(trail);
  const sum = places.reduce((shares, { failed, of }) => shares + failed / of, 0);
  return sum >= places.length * (before ? GRAVE.until : GRAVE.from);
}

/** Null: the last connection worked. */
function lastFault(trail: ConnectionShare['trail']): ConnectionFault | null {
  return trail.at(-1)?.fault ?? null;
}

/** At the end of the trail. */
export function failuresInARow(trail: ConnectionShare['trail']): number {
  return trail.length - 1 - trail.findLastIndex(({ fault }) => fault === null);
}

function faultsOf(trail: readonly Connection[]): readonly ConnectionFault[] {
  return trail.flatMap(({ fault }) => fault ?? []);
}
