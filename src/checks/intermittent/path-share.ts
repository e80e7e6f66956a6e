import { addressFamily } from '../../core/addresses.ts';
import type { EpochMs, Millis } from '../../core/clock.ts';
import {
  clear,
  type ConnectionFault,
  deservesBurst,
  failedIn,
  failuresInARow,
  hasFailedOtherwise,
  isForged,
  isOpen,
  isUndecided,
  KNOWN_RUN,
  shareAfter,
  without,
  type Connection,
  type ConnectionShare,
  type Sample,
} from './connection-share.ts';

/** The connections of one round to the licence server, in the order in which they started. */
export interface RoundConnections {
  readonly at: EpochMs;
  /** Addresses dialled in the round, including those without a conclusive result. */
  readonly dialled: readonly string[];
  readonly connections: readonly Connection[];
  /** The burst of additional connections; null if there was none. */
  readonly burst: readonly Connection[] | null;
  /** Connections made for another reason. */
  readonly others?: readonly Connection[];
}

export interface PathShare {
  /** Shares of individual addresses to which connections have failed. */
  readonly addresses: readonly ConnectionShare[];
  readonly families: readonly FamilyShare[];
  /** Share of all connections. A fault on the path to all addresses shows here first. */
  readonly whole: ConnectionShare;
  /** Addresses with intermittent failures, until these have ended at all of them. None of these addresses is clean. */
  readonly unclean: readonly string[];
  /** Bursts within the last hour. */
  readonly bursts: readonly Burst[];
  /**
   * Connections within the last hour that received a certificate from a party other than the server, between genuine
   * ones.
   */
  readonly forgeries: readonly Forgery[];
}

/** Packets get lost by chance, but a certificate is never forged by chance. */
export interface Forgery {
  readonly at: EpochMs;
  readonly address: string;
  readonly fault: ConnectionFault;
}

/** Share of all addresses of one family. If DNS rotates them, no single address shows the fault. */
interface FamilyShare {
  readonly family: 4 | 6;
  readonly share: ConnectionShare;
  readonly members: readonly Member[];
  /** Addresses dialled by the latest round. */
  readonly current: readonly string[];
  /**
   * Addresses that have always failed next to one that always works. This is a separate outage, not an intermittent
   * fault. It ends when DNS no longer returns the address, unless the address comes back.
   */
  readonly outages: readonly string[];
}

interface Member {
  readonly address: string;
  readonly seenAt: EpochMs;
  /** The address came back into the answers after it had failed, so it rotates and is not gone for good. */
  readonly returned: boolean;
}

export const NO_SHARE: PathShare = {
  addresses: [],
  families: [],
  whole: clear([]),
  unclean: [],
  bursts: [],
  forgeries: [],
};

/** Number of connections in one burst, over all addresses. @internal */
export const BURST_SIZE = 20;
/** Maximum number of addresses in one burst. With more, there would be too few connections per address. */
const MOST_ADDRESSES = 4;
/** An address with at most this share of failures is clean, even if single connections fail. */
const CLEAN = 1 / 8;
/** An address that was not dialled for this long is forgotten. */
const FORGOTTEN: Millis = 1_800_000;
/** An older error in FortiAuthenticator's log may no longer apply. */
const COMPLAINT_AGE: Millis = 60_000;
/** Per family. A name with more addresses keeps returning new ones. */
const MOST_MEMBERS = 64;
/** How long a forgery counts, and how many are kept. */
const FORGERY = { age: 3_600_000, most: 100 };

/** Adds one round. The same rounds always give the same result. */
export function next(state: PathShare, connections: RoundConnections): PathShare {
  const round: MeasuredRound = { ...connections, burstsSpent: !burstRoom(state.bursts, connections.at).new };
  const families = ([4, 6] as const)
    .map((family) => familyShareAfter(state, family, round))
    .filter(({ members }) => members.length > 0);
  const members = families.flatMap((family) => family.members.map(({ address }) => address));
  const parts = {
    addresses: members
      .map((address) => addressShareAfter(state, address, round))
      .filter(({ trail, pattern }) => trail.length > 0 || pattern !== 'none'),
    families,
    whole: shareAfter(
      {
        ...without(
          state.whole,
          families.flatMap(({ outages }) => outages),
        ),
        addresses: members,
      },
      failuresLast(sampleOf(round, () => true)),
    ),
  };
  return {
    ...parts,
    unclean: uncleanAfter(state.unclean, parts, members),
    bursts: burstsAfter(state, round),
    forgeries: forgeriesAfter(state, members, round),
  };
}

function forgeriesAfter(state: PathShare, addresses: readonly string[], round: MeasuredRound): PathShare['forgeries'] {
  const { at } = round;
  const known = state.forgeries.filter((forgery) => isRecent(forgery.at, at, FORGERY.age));
  const added = addresses.flatMap((address) => {
    const { own, more } = sampleOf(round, (connection) => connection.address === address);
    const { trail } = addressShare(state, address);
    const open = trail.slice(trail.length - failuresInARow(trail));
    return forgedIn(open, [...own, ...more]).map((fault) => ({ at, address, fault }));
  });
  return [...known, ...added].slice(-FORGERY.most);
}

/**
 * Returns forgeries in short runs that were ended by a genuine connection. A run that continues into the next round is
 * an inspection that was active for a while and has ended.
 *
 * @param earlier consecutive failures so far
 */
function forgedIn(earlier: readonly Connection[], seen: readonly Connection[]): readonly ConnectionFault[] {
  let run = earlier.flatMap(({ fault }) => fault ?? []);
  let lasts = earlier.length > 1;
  let isFromEarlier = earlier.length > 0;
  const forged: ConnectionFault[] = [];
  for (const { fault } of seen) {
    if (fault === null) {
      if (!lasts && run.length < KNOWN_RUN) forged.push(...run.filter(isForged));
      [run, lasts, isFromEarlier] = [[], false, false];
    } else {
      run.push(fault);
      lasts ||= isFromEarlier;
    }
  }
  return forged;
}

type Parts = Pick<PathShare, 'addresses' | 'families' | 'whole'>;

function uncleanAfter(before: readonly string[], parts: Parts, members: readonly string[]): readonly string[] {
  const now = sharesOf(parts)
    .filter(({ pattern }) => pattern === 'intermittent')
    .flatMap(({ addresses }) => addresses);
  return [...new Set([...before, ...now])].filter((address) => now.length > 0 && members.includes(address));
}

/** Returns the current shares: one for each dialled address, or one for all addresses that rotate. */
export function sharesOf({ addresses, families, whole }: Parts): readonly ConnectionShare[] {
  const parts = families.flatMap(({ share, members, current }) =>
    members.length > current.length
      ? [share]
      : current.flatMap((address) => addresses.filter((single) => single.addresses.includes(address))),
  );
  return parts.map((part) => asPartOf(whole, part));
}

/**
 * Treats a part of an intermittent path as intermittent if it has enough of the failures, even before the part alone
 * shows it.
 */
function asPartOf(whole: ConnectionShare, part: ConnectionShare): ConnectionShare {
  const own = whole.reported.filter(({ address }) => part.addresses.includes(address));
  if (whole.pattern !== 'intermittent' || part.pattern === 'steady' || failedIn(own) <= own.length * CLEAN) return part;
  return { ...part, pattern: 'intermittent', grave: part.grave || whole.grave, reported: own, trail: own };
}

/**
 * Returns the addresses for a burst in the next round. All addresses are included, because each is judged by comparison
 * with the others.
 * @param complainedAt when FortiAuthenticator last logged a connection error; null if it did not
 * @internal
 */
export function burstDue(state: PathShare, at: EpochMs, complainedAt: EpochMs | null = null): readonly string[] {
  const room = burstRoom(state.bursts, at);
  const current = state.families.flatMap((family) => family.current);
  const due = failuresDue(state, room).filter((address) => current.includes(address));
  const isAsked =
    room.asked &&
    complainedAt !== null &&
    isRecent(complainedAt, at, COMPLAINT_AGE) &&
    sharesOf(state).every(({ pattern }) => pattern === 'none');
  return due.length === 0 && !isAsked ? [] : [...new Set([...due, ...current])].slice(0, MOST_ADDRESSES);
}

function failuresDue(state: PathShare, room: BurstRoom): readonly string[] {
  return sharesOf(state)
    .filter((share) => (room.again && deservesBurst(share)) || (room.new && isOpen(share)))
    .flatMap(({ addresses }) => addresses);
}

function burstsAfter(state: PathShare, { at, burst }: RoundConnections): PathShare['bursts'] {
  if (burst === null) return rememberedBursts(state.bursts, at);
  const isAsked = failuresDue(state, burstRoom(state.bursts, at)).length === 0;
  const isOutage = burst.length > 0 && failedIn(burst) === burst.length;
  return [...rememberedBursts(state.bursts, at), { at, isAsked, isOutage }];
}

/** Returns the addresses of the connections in that burst, in turns and equally often. */
export function burstOf(state: PathShare, at: EpochMs, complainedAt: EpochMs | null): readonly string[] {
  const due = burstDue(state, at, complainedAt);
  return due.length === 0 ? [] : Array.from({ length: Math.floor(BURST_SIZE / due.length) }, () => due).flat();
}

/** Reports whether another round now would help, because a failure is new or was not measured yet. */
export function needsCloserLook(state: PathShare, at: EpochMs): boolean {
  const due = burstDue(state, at);
  return sharesOf(state).some(
    (share) =>
      share.pattern === 'doubtful' ||
      share.pattern === 'single' ||
      (share.pattern === 'intermittent' && hasFailedOtherwise(share)) ||
      ((share.pattern === 'steady' || isUndecided(share)) && share.addresses.some((address) => due.includes(address))),
  );
}

interface MeasuredRound extends RoundConnections {
  readonly burstsSpent: boolean;
}

function addressShare({ addresses }: PathShare, address: string): ConnectionShare {
  return addresses.find((share) => share.addresses.includes(address)) ?? clear([address]);
}

function addressShareAfter(state: PathShare, address: string, round: MeasuredRound): ConnectionShare {
  return shareAfter(
    addressShare(state, address),
    sampleOf(round, (connection) => connection.address === address),
  );
}

function familyShareAfter(state: PathShare, family: FamilyShare['family'], round: MeasuredRound): FamilyShare {
  const { at, dialled } = round;
  const before = state.families.find((known) => known.family === family);
  const current = dialled.filter((address) => familyOf(address) === family);
  const known = before?.members ?? [];
  const others = known.filter(({ address, seenAt }) => !current.includes(address) && isRecent(seenAt, at, FORGOTTEN));
  const trailOf = (address: string): ConnectionShare['trail'] => addressShare(state, address).trail;
  const isBack = (address: string): boolean =>
    before?.current.includes(address) === false && failedIn(trailOf(address)) > 0;
  const members = [
    ...others,
    ...current.map((address) => ({
      address,
      seenAt: at,
      returned: isBack(address) || known.some((member) => member.address === address && member.returned),
    })),
  ].slice(-MOST_MEMBERS);
  const sample = sampleOf(round, ({ address }) => familyOf(address) === family);
  const share = before?.share ?? clear([]);
  // It must be next to an address that always works. If all addresses fail occasionally or rotate, the fault may be on
  // the path to all of them.
  const wasBeside =
    before !== undefined &&
    before.members.length === before.current.length &&
    before.current.some((address) => failedIn(trailOf(address)) === 0);
  const isOutage = ({ address, returned }: Member): boolean =>
    !returned &&
    isDown(trailOf(address)) &&
    (before?.outages.includes(address) === true || (wasBeside && current.includes(address)));
  const outages = members.filter(isOutage).map(({ address }) => address);
  const addresses = members
    .map(({ address }) => address)
    .filter((address) => current.includes(address) || !outages.includes(address));
  const isBackInTurn = (address: string): boolean =>
    before?.current.includes(address) === false && known.some((member) => member.address === address);
  const rotates = others.length > 0 && (share.rotates || current.some(isBackInTurn));
  return {
    family,
    share: shareAfter({ ...without(share, outages), addresses, rotates }, failuresLast(sample)),
    members,
    current,
    outages,
  };
}

function isDown(trail: ConnectionShare['trail']): boolean {
  return trail.length >= KNOWN_RUN && failedIn(trail) === trail.length;
}

/**
 * Moves failures to the end. The connections started at the same time, so any of them can be the last, and a failure is
 * not cancelled by another connection that worked.
 */
function failuresLast(sample: Sample): Sample {
  const worked = sample.own.filter(({ fault }) => fault === null);
  return { ...sample, own: [...worked, ...sample.own.filter(({ fault }) => fault !== null)] };
}

function sampleOf(
  { connections, burst, others = [], burstsSpent }: MeasuredRound,
  isOwn: (connection: Connection) => boolean,
): Sample {
  return { own: connections.filter(isOwn), more: [...(burst ?? []), ...others].filter(isOwn), burstsSpent };
}

/** Returns the family of an address. Through a proxy, the name itself is dialled. */
function familyOf(address: string): FamilyShare['family'] {
  return addressFamily(address) ?? 4;
}

/** Additional simultaneous connections to the licence server, made to measure how many fail. */
interface Burst {
  readonly at: EpochMs;
  /** No connection had failed here; the reason was an error in FortiAuthenticator's log. */
  readonly isAsked: boolean;
  /** All of its connections failed, so it put no load on a server. */
  readonly isOutage: boolean;
}

/** Purposes for which another burst is allowed. */
interface BurstRoom {
  /** A new failure, or more failures than by chance. */
  readonly new: boolean;
  /** Repeating an earlier measurement. */
  readonly again: boolean;
  /** An error in FortiAuthenticator's log alone. */
  readonly asked: boolean;
}

/**
 * Limits the load on the licence server during a fault. An undecided failure gets a burst immediately, because with one
 * burst in five minutes the next fault would have to wait for it. A burst in which all connections fail causes no load,
 * and must not delay confirmation of the next outage. @internal
 */
export const BURSTS = { most: 2, mostOfOutages: 6, within: 600_000, gap: 300_000 };

/** FortiAuthenticator may keep logging errors that cannot be observed from here. @internal */
export const ASKED_BURSTS = { most: 3, within: 3_600_000 };

function burstRoom(bursts: readonly Burst[], at: EpochMs): BurstRoom {
  const within = (time: Millis): readonly Burst[] => bursts.filter((burst) => isRecent(burst.at, at, time));
  const recent = within(BURSTS.within);
  const isLeft =
    recent.length < BURSTS.mostOfOutages && recent.filter(({ isOutage }) => !isOutage).length < BURSTS.most;
  const again = isLeft && within(BURSTS.gap).length === 0;
  const asked = within(ASKED_BURSTS.within).filter(({ isAsked }) => isAsked);
  return { new: isLeft, again, asked: again && asked.length < ASKED_BURSTS.most };
}

/** Returns the bursts that still count. */
function rememberedBursts(bursts: readonly Burst[], at: EpochMs): readonly Burst[] {
  return bursts.filter((burst) => isRecent(burst.at, at, ASKED_BURSTS.within));
}

/** Reports whether a time is recent. A wall clock that was set back must not make it look recent for longer. */
function isRecent(then: EpochMs, now: EpochMs, within: Millis): boolean {
  return then <= now && now - then < within;
}
