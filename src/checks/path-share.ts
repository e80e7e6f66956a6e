import type { EpochMs, Millis } from '../core/clock.ts';
import type { Confidence } from '../engine/cause.ts';
import type { Finding } from '../engine/finding.ts';

/** What was wrong with one connection to the licence server. */
export interface ConnectionFault {
  /** How far it got. */
  readonly stage: 'reachability' | 'tls-genuine';
  readonly cause: NonNullable<Finding['suggests']>;
  readonly confidence: Confidence;
  readonly product: string | null;
  /** For people. */
  readonly actual: string;
}

/** One connection to one address. `fault` is null where it showed what it should. */
export interface Connection {
  readonly address: string;
  readonly fault: ConnectionFault | null;
}

/** The connections of one round, in the order in which they began. */
export interface Look {
  readonly at: EpochMs;
  readonly connections: readonly Connection[];
  /** The burst of further connections; null: there was none. */
  readonly burst: readonly Connection[] | null;
}

/**
 * What the failures at one address are.
 * - `none`: the last connection worked, or nothing else is known.
 * - `steady`: they fail all, as far as is known.
 * - `single`: one failed, and others of the same round worked.
 * - `doubtful`: one failed a short while after a burst that worked: too little to say so, and too early for another
 *   burst.
 * - `intermittent`: they come and go, by more than chance.
 */
export type Standing = 'none' | 'steady' | 'single' | 'doubtful' | 'intermittent';

/** One address, from the first failure on until so many connections have worked that it counts as past. */
export interface AddressShare {
  readonly address: string;
  readonly standing: Standing;
  /** The share as it is told: of the trail, or of the latest round where single failures are past again. */
  readonly told: { readonly failed: number; readonly of: number };
  /** The connections since, the oldest left out; null: it worked. */
  readonly trail: readonly (ConnectionFault | null)[];
  /** How much more likely a fault that comes and goes is than single failures, as a logarithm. */
  readonly score: number;
  /** How often a failure came after a success that came after a failure; an outage that came back counts twice. */
  readonly returns: number;
  readonly intermittent: boolean;
  /** So many fail that people feel it. */
  readonly grave: boolean;
  readonly seenAt: EpochMs;
}

export interface PathShare {
  readonly addresses: readonly AddressShare[];
  readonly burstAt: EpochMs | null;
}

export const NO_SHARE: PathShare = { addresses: [], burstAt: null };

/** At most one burst in this time, so that a fault never becomes a load on the licence server. */
export const BURST_GAP: Millis = 300_000;
/** Connections of one burst, over all addresses. */
export const BURST_SIZE = 20;
/** More addresses than this are not asked again in one burst: too few connections to each would say nothing. */
const MOST_ADDRESSES = 4;

/**
 * Single failures are one of fifty connections at the most, a fault that comes and goes is at least one of five: each
 * connection speaks for one or the other by the logarithm of their ratio (a cumulative sum, Page 1954).
 */
const CHANCE = { single: 0.02, fault: 0.2 };
const FAILURE_WEIGHT = Math.log(CHANCE.fault / CHANCE.single);
const SUCCESS_WEIGHT = Math.log((1 - CHANCE.single) / (1 - CHANCE.fault));
/** Beyond it the failures are no chance: single ones get there less than once a month at a round every 30 s. */
const ENOUGH = 12.5;

/** A single failure before an outage is one return. */
const FEWEST_RETURNS = 2;

/** The share is told over this many connections at the most: two bursts. */
const TRAIL = 42;
/** So many failures in a row, without a success, are no fault that comes and goes any more. */
const STEADY_RUN = 21;
/**
 * So many in a row are no outage yet where no burst can tell: among single failures of one in fifty they are too
 * frequent.
 */
const DOUBTED_RUN = 2;
/** So many in a row need no burst to be believed. */
const KNOWN_RUN = 5;
/** From this share on a fault that comes and goes is critical, until it has fallen below the other one. */
const GRAVE = { from: 1 / 3, until: 1 / 5 };
/** An address that was not dialled for this long is forgotten. */
const FORGOTTEN: Millis = 1_800_000;

/** Takes one round in. The same looks always give the same share. */
export function next(state: PathShare, look: Look): PathShare {
  const dialled = new Set([...look.connections, ...(look.burst ?? [])].map(({ address }) => address));
  const known = state.addresses.filter(
    ({ address, seenAt }) => !dialled.has(address) && isRecent(seenAt, look.at, FORGOTTEN),
  );
  const looked = [...dialled].map((address) => lookAt(before(state, address, look.at), look, state.burstAt));
  return {
    addresses: [...known, ...looked.filter(({ trail, standing }) => trail.length > 0 || standing !== 'none')],
    burstAt: look.burst !== null ? look.at : state.burstAt,
  };
}

/** The addresses that the next round should make a burst of connections to. */
export function burstDue({ addresses, burstAt }: PathShare, at: EpochMs): readonly string[] {
  if (burstAt !== null && isRecent(burstAt, at, BURST_GAP)) return [];
  return addresses
    .filter(
      ({ intermittent, trail }) =>
        intermittent || (failures(trail) > 0 && failuresInARow(trail) < KNOWN_RUN && hasFailedLast(trail)),
    )
    .map(({ address }) => address)
    .slice(0, MOST_ADDRESSES);
}

/** Whether another round at once would tell more: a failure that is new, or not yet measured. */
export function needsCloserLook(state: PathShare, at: EpochMs): boolean {
  const due = burstDue(state, at);
  return state.addresses.some(
    ({ address, standing }) =>
      standing === 'doubtful' || standing === 'single' || (standing === 'steady' && due.includes(address)),
  );
}

function failures(trail: AddressShare['trail']): number {
  return trail.filter((fault) => fault !== null).length;
}

/** What most of the failures were. */
export function mainFault({ trail }: AddressShare): ConnectionFault | null {
  const groups = [
    ...Map.groupBy(
      trail.filter((fault) => fault !== null),
      ({ stage, cause }) => `${stage} ${cause}`,
    ).values(),
  ];
  const [most] = groups.toSorted((left, right) => right.length - left.length);
  return most?.at(-1) ?? null;
}

function isRecent(then: EpochMs, now: EpochMs, within: Millis): boolean {
  // A wall clock that was set back must not stop the bursts for as long.
  return then <= now && now - then < within;
}

function before(state: PathShare, address: string, at: EpochMs): AddressShare {
  return state.addresses.find((share) => share.address === address) ?? clear(address, at);
}

function clear(address: string, seenAt: EpochMs): AddressShare {
  return {
    address,
    standing: 'none',
    told: { failed: 0, of: 0 },
    trail: [],
    score: 0,
    returns: 0,
    intermittent: false,
    grave: false,
    seenAt,
  };
}

function lookAt(share: AddressShare, { at, connections, burst }: Look, burstAt: EpochMs | null): AddressShare {
  const own = connections.filter(({ address }) => address === share.address);
  const more = (burst ?? []).filter(({ address }) => address === share.address);
  const counted = [...own, ...more].reduce<AddressShare>(count, { ...share, seenAt: at });
  const steady = failuresInARow(counted.trail) >= STEADY_RUN;
  const seen = { own, more, soonAfterBurst: burstAt !== null && isRecent(burstAt, at, BURST_GAP) };
  const trail = counted.trail.length > 0 ? counted.trail : [...own, ...more].map(({ fault }) => fault);
  return {
    ...counted,
    told: { failed: failures(trail), of: trail.length },
    grave: isGrave(counted, share.intermittent && share.grave),
    standing: counted.intermittent && !steady ? 'intermittent' : standingOf(counted, seen),
  };
}

interface Seen {
  readonly own: readonly Connection[];
  readonly more: readonly Connection[];
  readonly soonAfterBurst: boolean;
}

function standingOf({ trail }: AddressShare, { own, more, soonAfterBurst }: Seen): Standing {
  if (!own.some(({ fault }) => fault !== null)) return 'none';
  if (more.length > 0) return more.some(({ fault }) => fault === null) ? 'single' : 'steady';
  return soonAfterBurst && failuresInARow(trail) <= DOUBTED_RUN ? 'doubtful' : 'steady';
}

function count(share: AddressShare, { fault }: Connection): AddressShare {
  return fault === null ? afterSuccess(share) : afterFailure(share, fault);
}

function afterFailure(share: AddressShare, fault: ConnectionFault): AddressShare {
  const returns = share.returns + returned(share.trail);
  const score = Math.min(ENOUGH, share.score + FAILURE_WEIGHT);
  return {
    ...share,
    trail: [...share.trail, fault].slice(-TRAIL),
    returns,
    score,
    intermittent: share.intermittent || (returns >= FEWEST_RETURNS && score >= ENOUGH),
  };
}

/**
 * Of single failures nobody knows whether they belong together; an outage that ends and is back a few rounds later
 * comes and goes.
 */
function returned(trail: AddressShare['trail']): number {
  if (trail.length === 0 || hasFailedLast(trail)) return 0;
  return isAfterOutage(trail) ? FEWEST_RETURNS : 1;
}

function isAfterOutage(trail: AddressShare['trail']): boolean {
  return failuresInARow(trail.slice(0, trail.findLastIndex((fault) => fault !== null) + 1)) >= KNOWN_RUN;
}

function afterSuccess(share: AddressShare): AddressShare {
  if (share.trail.length === 0) return share;
  // The first run of failures counts as one, a long one as two: an outage that has ended neither comes nor goes.
  const first = FAILURE_WEIGHT * (isAfterOutage(share.trail) ? 2 : 1);
  const score = (share.returns > 0 ? share.score : Math.min(share.score, first)) - SUCCESS_WEIGHT;
  if (score <= 0) return clear(share.address, share.seenAt);
  return { ...share, trail: [...share.trail, null].slice(-TRAIL), score };
}

function isGrave({ trail }: AddressShare, before: boolean): boolean {
  return failures(trail) >= trail.length * (before ? GRAVE.until : GRAVE.from);
}

function hasFailedLast(trail: AddressShare['trail']): boolean {
  return (trail.at(-1) ?? null) !== null;
}

function failuresInARow(trail: AddressShare['trail']): number {
  return trail.length - 1 - trail.findLastIndex((fault) => fault === null);
}
