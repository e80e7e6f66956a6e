import { addressFamily } from '../../core/addresses.ts';
import { type EpochMs, isRecent, type Millis } from '../../core/clock.ts';
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

export interface RoundConnections {
  readonly at: EpochMs;
  /** Includes addresses without a conclusive result. */
  readonly dialled: readonly string[];
  readonly connections: readonly Connection[];
  readonly burst: readonly Connection[] | null;
  /** Connections that were not part of the burst. */
  readonly others?: readonly Connection[];
}

export interface PathShare {
  readonly addresses: readonly ConnectionShare[];
  readonly families: readonly FamilyShare[];
  /**
   * Share of failures across all connections. If a fault affects the path to all addresses, this share is the first to
   * show it.
   */
  readonly whole: ConnectionShare;
  /** Addresses with intermittent failures, until the failures have ended at all addresses. */
  readonly unclean: readonly string[];
  readonly bursts: readonly Burst[];
  /** From the last hour. Other connections received the genuine certificate. */
  readonly forgeries: readonly Forgery[];
}

/** Unlike packet loss, a forged certificate never occurs by chance. */
export interface Forgery {
  readonly at: EpochMs;
  readonly address: string;
  readonly fault: ConnectionFault;
}

/** If DNS rotates the addresses, no individual address shows the fault. */
interface FamilyShare {
  readonly family: 4 | 6;
  readonly share: ConnectionShare;
  readonly members: readonly Member[];
  readonly current: readonly string[];
  /**
   * Addresses that always fail while another address always works. Each address is reported as a separate outage, which
   * ends when DNS no longer returns the address.
   */
  readonly outages: readonly string[];
}

interface Member {
  readonly address: string;
  readonly seenAt: EpochMs;
  /** The address had failed, disappeared from the DNS answers and was returned again, so the addresses rotate. */
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

/** Divided among all addresses. */
const BURST_SIZE = 20;
/** With more addresses, each address would get too few connections. */
const MOST_ADDRESSES = 4;
/** Maximum failure rate at which an address still counts as working. */
const CLEAN = 1 / 8;
/** Addresses are discarded after this time without a connection. */
const FORGOTTEN: Millis = 1_800_000;
const COMPLAINT_AGE: Millis = 60_000;
const MOST_MEMBERS = 64;
const FORGERY = { age: 3_600_000, most: 100 };

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
 * Returns forged certificates from short runs that ended with a genuine connection. A run that continues in the next
 * round means that an inspection was active for some time.
 * @param earlier the consecutive failures so far
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

/** Addresses that rotate in DNS share one failure rate. */
export function sharesOf({ addresses, families, whole }: Parts): readonly ConnectionShare[] {
  const parts = families.flatMap(({ share, members, current }) =>
    members.length > current.length
      ? [share]
      : current.flatMap((address) => addresses.filter((single) => single.addresses.includes(address))),
  );
  return parts.map((part) => asPartOf(whole, part));
}

/**
 * If the whole path is intermittent, a part with enough of the failures is considered intermittent as well. The part
 * alone may have too few connections to prove that it is.
 */
function asPartOf(whole: ConnectionShare, part: ConnectionShare): ConnectionShare {
  const own = whole.reported.filter(({ address }) => part.addresses.includes(address));
  if (whole.pattern !== 'intermittent' || part.pattern === 'steady' || failedIn(own) <= own.length * CLEAN) return part;
  return { ...part, pattern: 'intermittent', grave: part.grave || whole.grave, reported: own, trail: own };
}

/**
 * Returns the addresses for a burst in the next round. All addresses are included for comparison.
 * @param complainedAt time of the last connection error in FortiAuthenticator's log
 */
function burstDue(state: PathShare, at: EpochMs, complainedAt: EpochMs | null = null): readonly string[] {
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

/** One entry per connection. The connections cycle through all addresses. */
export function burstOf(state: PathShare, at: EpochMs, complainedAt: EpochMs | null): readonly string[] {
  const due = burstDue(state, at, complainedAt);
  return due.length === 0 ? [] : Array.from({ length: Math.floor(BURST_SIZE / due.length) }, () => due).flat();
}

/** Another round is needed if a failure is new or has not yet been confirmed by a burst. */
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
  const hasReturned = (address: string): boolean =>
    before?.current.includes(address) === false && known.some((member) => member.address === address);
  const members = [
    ...others,
    ...current.map((address) => ({
      address,
      seenAt: at,
      returned:
        (hasReturned(address) && failedIn(trailOf(address)) > 0) ||
        known.some((member) => member.address === address && member.returned),
    })),
  ].slice(-MOST_MEMBERS);
  const sample = sampleOf(round, ({ address }) => familyOf(address) === family);
  const share = before?.share ?? clear([]);
  // An outage counts as limited to one address only if at least one other address always works. Otherwise, the fault
  // may be on the common path.
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
  const rotates = others.length > 0 && (share.rotates || current.some(hasReturned));
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
 * A successful connection must not hide a failure. The original order is arbitrary, because the connections were
 * started concurrently.
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

/** Returns 4 for a host name, because host names are used only with a proxy. */
function familyOf(address: string): FamilyShare['family'] {
  return addressFamily(address) ?? 4;
}

interface Burst {
  readonly at: EpochMs;
  /** Triggered by an error in FortiAuthenticator's log rather than by a failed connection. */
  readonly isAsked: boolean;
  /** All connections failed. Such a burst causes no load on the server. */
  readonly isOutage: boolean;
}

interface BurstRoom {
  /** True if a burst is permitted after a new failure, or after more failures than expected by chance. */
  readonly new: boolean;
  /** True if a burst that repeats an earlier measurement is permitted. */
  readonly again: boolean;
  /** True if a burst is permitted after an error in FortiAuthenticator's log although no connection has failed. */
  readonly asked: boolean;
}

/**
 * Limits the load on the licence server during a fault. An undecided failure triggers a burst immediately. Bursts in
 * which all connections fail cause no load. More of them are permitted, so that the next outage is confirmed without
 * delay.
 */
const BURSTS = { most: 2, mostOfOutages: 6, within: 600_000, gap: 300_000 };

/** Limit for bursts that are triggered by repeated errors in FortiAuthenticator's log. */
const ASKED_BURSTS = { most: 3, within: 3_600_000 };

function burstRoom(bursts: readonly Burst[], at: EpochMs): BurstRoom {
  const within = (time: Millis): readonly Burst[] => bursts.filter((burst) => isRecent(burst.at, at, time));
  const recent = within(BURSTS.within);
  const isLeft =
    recent.length < BURSTS.mostOfOutages && recent.filter(({ isOutage }) => !isOutage).length < BURSTS.most;
  const again = isLeft && within(BURSTS.gap).length === 0;
  const asked = within(ASKED_BURSTS.within).filter(({ isAsked }) => isAsked);
  return { new: isLeft, again, asked: again && asked.length < ASKED_BURSTS.most };
}

function rememberedBursts(bursts: readonly Burst[], at: EpochMs): readonly Burst[] {
  return bursts.filter((burst) => isRecent(burst.at, at, ASKED_BURSTS.within));
}
