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

/** The connections of one round to the licence server, in the order in which they began. */
export interface RoundConnections {
  readonly at: EpochMs;
  /** The addresses that the round dialled, those that said nothing included. */
  readonly dialled: readonly string[];
  readonly connections: readonly Connection[];
  /** The burst of further connections; null: there was none. */
  readonly burst: readonly Connection[] | null;
  /** Connections that were made for another reason. */
  readonly others?: readonly Connection[];
}

export interface PathShare {
  /** Of each address by itself, where connections have failed. */
  readonly addresses: readonly ConnectionShare[];
  readonly families: readonly FamilyShare[];
  /** Of all connections: a fault of the way to all addresses shows here first. */
  readonly whole: ConnectionShare;
  /**
   * The addresses to which connections have come and gone, until that is past at each of them: none of them is clean.
   */
  readonly unclean: readonly string[];
  /** The bursts of the last hour. */
  readonly bursts: readonly Burst[];
  /** Of the last hour: connections to which somebody else than the server showed a certificate, between genuine ones. */
  readonly forgeries: readonly Forgery[];
}

/** Packets get lost by themselves; a certificate is never forged by chance. */
export interface Forgery {
  readonly at: EpochMs;
  readonly address: string;
  readonly fault: ConnectionFault;
}

/**
 * Of all addresses of one family together: where the name gives some of them in turn, no single one shows the fault.
 */
interface FamilyShare {
  readonly family: 4 | 6;
  readonly share: ConnectionShare;
  readonly members: readonly Member[];
  /** Those that the latest round dialled. */
  readonly current: readonly string[];
  /**
   * Those that have always failed beside one that always works: a separate outage, which alternates with none
   * of the others. One that is not given any more has taken it along, unless it comes back.
   */
  readonly outages: readonly string[];
}

interface Member {
  readonly address: string;
  readonly seenAt: EpochMs;
  /** It came back into the answers after it had failed: it takes turns, and is not gone for good. */
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

/** Connections of one burst, over all addresses. @internal */
export const BURST_SIZE = 20;
/** More addresses than this are not asked again in one burst: too few connections to each would say nothing. */
const MOST_ADDRESSES = 4;
/** An address with no more than this share of failures is clean, although single ones fail. */
const CLEAN = 1 / 8;
/** An address that was not dialled for this long is forgotten. */
const FORGOTTEN: Millis = 1_800_000;
/** A complaint that is older is about a time that is past. */
const COMPLAINT_AGE: Millis = 60_000;
/** Of one family; beyond it a name gives new ones all the time. */
const MOST_MEMBERS = 64;
/** How long a forgery counts, and how many are kept. */
const FORGERY = { age: 3_600_000, most: 100 };

/** Takes one round in. The same rounds always give the same share. */
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
 * Those in short runs that a genuine connection ended. A run that lasts from one round into the next is an inspection
 * that was there for a while, and has ended.
 *
 * @param earlier the failures in a row, up to now
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

/** The shares that tell what is so now: of each address that was dialled, or of those together that take turns. */
export function sharesOf({ addresses, families, whole }: Parts): readonly ConnectionShare[] {
  const parts = families.flatMap(({ share, members, current }) =>
    members.length > current.length
      ? [share]
      : current.flatMap((address) => addresses.filter((single) => single.addresses.includes(address))),
  );
  return parts.map((part) => asPartOf(whole, part));
}

/** If the whole is intermittent, so is a part with enough of its failures, before the part alone has shown it. */
function asPartOf(whole: ConnectionShare, part: ConnectionShare): ConnectionShare {
  const own = whole.reported.filter(({ address }) => part.addresses.includes(address));
  if (whole.pattern !== 'intermittent' || part.pattern === 'steady' || failedIn(own) <= own.length * CLEAN) return part;
  return { ...part, pattern: 'intermittent', grave: part.grave || whole.grave, reported: own, trail: own };
}

/**
 * The addresses that the next round should make a burst of connections to: all of them, since what one does is judged
 * by what the others do.
 * @param complainedAt when FortiAuthenticator last complained of its connections; null: it does not
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

/** The connections of that burst, by their addresses: each as often as the others, in turns. */
export function burstOf(state: PathShare, at: EpochMs, complainedAt: EpochMs | null): readonly string[] {
  const due = burstDue(state, at, complainedAt);
  return due.length === 0 ? [] : Array.from({ length: Math.floor(BURST_SIZE / due.length) }, () => due).flat();
}

/** Whether another round at once would tell more: a failure that is new, or not yet measured. */
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
  // Beside one that always works; where all fail now and then, or take turns, it may be the way to all of them.
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

/** They began at once, so that any of them is the last: one that failed is not over with another one that worked. */
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

/** Through a proxy the name itself is dialled. */
function familyOf(address: string): FamilyShare['family'] {
  return addressFamily(address) ?? 4;
}

/** Further connections to the licence server, made at once to learn how many fail. */
interface Burst {
  readonly at: EpochMs;
  /** No connection had failed here: FortiAuthenticator had complained of its own. */
  readonly isAsked: boolean;
  /** All of its connections failed: it reached no server that it could load. */
  readonly isOutage: boolean;
}

/** What a further burst may be for. */
interface BurstRoom {
  /** A failure that is new, or too many for single ones. */
  readonly new: boolean;
  /** What was measured before, once more. */
  readonly again: boolean;
  /** A complaint of FortiAuthenticator alone. */
  readonly asked: boolean;
}

/**
 * No more than this, so that a fault never becomes a load on the licence server. What is open takes one at once:
 * with one in five minutes the next fault would have to wait for it. Where all of its connections fail, a burst is no
 * load, and the next outage must not wait for certainty. @internal
 */
export const BURSTS = { most: 2, mostOfOutages: 6, within: 600_000, gap: 300_000 };

/** FortiAuthenticator may complain without end of what nobody sees from here. @internal */
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

/** Those that still count. */
function rememberedBursts(bursts: readonly Burst[], at: EpochMs): readonly Burst[] {
  return bursts.filter((burst) => isRecent(burst.at, at, ASKED_BURSTS.within));
}

/** A wall clock that was set back must not make a time seem recent for as long. */
function isRecent(then: EpochMs, now: EpochMs, within: Millis): boolean {
  return then <= now && now - then < within;
}
