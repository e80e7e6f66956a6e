import { type EpochMs, isRecent, type Millis } from '../../core/clock.ts';
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
  /** The connection works, but TCP had to send its first packet again. */
  readonly repeated?: true;
}

/** Many connections at about the same time, with those of their round. */
export interface Burst {
  readonly at: EpochMs;
  readonly connections: readonly Connection[];
}

interface SeenAddress {
  readonly address: string;
  /** Time of the last DNS answer with this address. */
  readonly at: EpochMs;
  /** DNS has omitted the address for some time and then returned it again, so the name's addresses rotate. */
  readonly isBack: boolean;
}

/**
 * What the connections to the licence server show.
 * - `clear`: All connections work, or no more of them fail than by chance.
 * - `open`: A connection failed, and a burst has to show whether all of them fail.
 * - `outage`: All connections fail, or all connections to some of the addresses.
 * - `intermittent`: Some of the connections to an address fail, more than by chance.
 */
export interface Sampling {
  readonly kind: 'clear' | 'open' | 'outage' | 'intermittent';
  /** Time of the last round. */
  readonly at: EpochMs;
  /** The last round's connections, without those of a burst. */
  readonly own: readonly Connection[];
  /** Rounds in a row, up to now, in which every connection failed. */
  readonly run: number;
  /** From the DNS answers of the last half hour, latest first. */
  readonly addresses: readonly SeenAddress[];
  /** From the last hour, oldest first. The latest one is kept for longer while it is needed. */
  readonly bursts: readonly Burst[];
  /** An intermittent fault that affects enough connections to be critical. */
  readonly grave: boolean;
  /** The fault that was reported when the connections became intermittent, until it no longer occurs. */
  readonly main: MainFault | null;
  /** Forged certificates from the last hour, while other connections received the genuine one. */
  readonly forged: readonly Burst[];
}

/** Lost packets break connections in several ways. If the cause followed the last burst, one fault would be several. */
type MainFault = Pick<ConnectionFault, 'stage' | 'cause'>;

export const NO_SAMPLES: Sampling = {
  kind: 'clear',
  at: 0,
  own: [],
  run: 0,
  addresses: [],
  bursts: [],
  grave: false,
  main: null,
  forged: [],
};

export interface SampledRound {
  readonly at: EpochMs;
  /** Addresses from this round's DNS answers. */
  readonly answers: readonly string[];
  /** Addresses that decide whether the target can be reached. */
  readonly deciding: readonly string[];
  readonly own: readonly Connection[];
  /** Null if there was no burst. */
  readonly burst: readonly Connection[] | null;
}

const HOUR: Millis = 3_600_000;
/** An address is forgotten after this time without a DNS answer that contains it. */
const FORGOTTEN: Millis = 1_800_000;
const MOST_ADDRESSES = 16;
const MOST_FORGED = 100;

/**
 * Failures in the last burst, in the last two, and in the last three, that are more than chance. If one in fifty
 * connections fails by chance, these limits are reached less than once in 500 days (`docs/performance.md`).
 */
const MANY = 6;
const FAULTY = [MANY, 7, 9];
/** After a burst with this many failures, another burst decides. */
const DOUBTFUL = 3;
/** An intermittent fault has ended if two bursts in a row together have no more failures than this. */
const REPAIRED = 1;
/** A fault becomes critical when its share reaches `from`, and stops being critical at `until`. */
const GRAVE = { from: 1 / 3, until: 1 / 5 };
/** Fewer connections do not show that all connections to an address fail. */
const FEWEST = 5;
/** If one in fifty connections fails by chance, this many failures in a row are too common to prove an outage. */
const DOUBTED_RUN = 2;
/** Probability below which an intermittent fault does not explain that all connections of several rounds failed. */
const UNLIKELY_RUN = 0.001;

export function samplingAfter(before: Sampling, round: SampledRound): Sampling {
  const { at, answers } = round;
  const addresses = addressesAfter(before, answers, at);
  const relevant = relevantOf(addresses);
  const own = round.own.filter(({ address }) => relevant.includes(address));
  const run = own.length > 0 && own.every(isFailed) ? before.run + 1 : 0;
  const connections = round.burst === null ? [] : [...own, ...round.burst];
  const recent = before.bursts.filter((burst) => isRecent(burst.at, at, HOUR) || burst === before.bursts.at(-1));
  const bursts = round.burst === null ? recent : [...recent, { at, connections }];
  const kind =
    connections.length > own.length ? kindAfterBurst(before, bursts, relevant) : kindWithoutBurst(before, own);
  const known = before.forged.filter((one) => isRecent(one.at, at, HOUR));
  return {
    kind,
    at,
    own,
    run,
    addresses,
    bursts: kind === 'clear' ? bursts.filter((burst) => isRecent(burst.at, at, HOUR)) : bursts,
    grave: kind === 'intermittent' && isGrave(measured({ kind, bursts }), round.deciding, before.grave),
    main: kind === 'intermittent' ? mainAfter(before, bursts) : null,
    forged: [...known, ...contradicted(before, { kind, own, at })].slice(-MOST_FORGED),
  };
}

function mainAfter({ main, own }: Sampling, bursts: Sampling['bursts']): MainFault | null {
  const faults = recentFaults({ bursts });
  // Before a burst has shown that the fault is intermittent, the failure of the last round is reported.
  const reported = main ?? own.find(isFailed)?.fault ?? null;
  const isStill = reported !== null && faults.some((one) => isAlike(one, reported));
  const fault = isStill ? reported : mostFrequent(faults);
  return fault === null ? null : { stage: fault.stage, cause: fault.cause };
}

/** Returns the faults of the last two bursts, because by chance, a single one may not contain the main fault. */
export function recentFaults({ bursts }: Pick<Sampling, 'bursts'>): readonly ConnectionFault[] {
  return connectionsIn(bursts.slice(-2)).flatMap(({ fault }) => fault ?? []);
}

/**
 * Returns the number of connections in the last two bursts that worked, but needed a packet to be sent again. 0 if no
 * other connection worked, because the path may be that slow.
 */
export function repeatedOf({ bursts }: Pick<Sampling, 'bursts'>): number {
  const worked = connectionsIn(bursts.slice(-2)).filter((one) => !isFailed(one));
  const repeated = worked.filter((one) => one.repeated === true);
  return repeated.length === worked.length ? 0 : repeated.length;
}

export function isAlike(one: MainFault, other: MainFault): boolean {
  return one.stage === other.stage && one.cause === other.cause;
}

/** Returns the latest of the most frequent faults. */
export function mostFrequent(faults: readonly ConnectionFault[]): ConnectionFault | null {
  const groups = [...Map.groupBy(faults, ({ stage, cause }) => `${stage} ${cause}`).values()];
  const [most] = groups.toSorted((left, right) => right.length - left.length);
  return most?.at(-1) ?? null;
}

function addressesAfter(before: Sampling, answers: readonly string[], at: EpochMs): readonly SeenAddress[] {
  if (answers.length === 0) return before.addresses;
  const latest = Math.max(...before.addresses.map((one) => one.at));
  const current = answers.map((address): SeenAddress => {
    const known = before.addresses.find((one) => one.address === address);
    return { address, at, isBack: known !== undefined && (known.isBack || known.at < latest) };
  });
  const others = before.addresses.filter((one) => !answers.includes(one.address) && isRecent(one.at, at, FORGOTTEN));
  return [...current, ...others].slice(0, MOST_ADDRESSES);
}

/** FortiAuthenticator no longer uses an address that DNS has stopped returning, unless the addresses rotate. */
function relevantOf(addresses: readonly SeenAddress[]): readonly string[] {
  const isUsed = areRotating(addresses) ? () => true : ({ at }: SeenAddress) => at === addresses[0]?.at;
  return addresses.filter(isUsed).map(({ address }) => address);
}

function areRotating(addresses: readonly SeenAddress[]): boolean {
  return addresses.some(({ isBack }) => isBack);
}

/** DNS returns the addresses in rotation, so FortiAuthenticator may be given any of them next. */
export function rotates({ addresses }: Sampling): boolean {
  return areRotating(addresses);
}

/** Returns the addresses to connect to. After a failure, these include all between which the DNS answers rotate. */
export function addressesToDial(sampling: Sampling, answers: readonly string[], at: EpochMs): readonly string[] {
  if (sampling.kind === 'clear' || answers.length === 0) return answers;
  return relevantOf(addressesAfter(sampling, answers, at));
}

function kindWithoutBurst({ kind, bursts }: Sampling, own: readonly Connection[]): Sampling['kind'] {
  if (kind === 'intermittent' || (kind === 'outage' && own.length === 0)) return kind;
  const failing = own.filter(isFailed);
  if (failing.length === 0) return 'clear';
  const { down } = countedIn(bursts.at(-1));
  const isKnown = failing.length === own.length || failing.every(({ address }) => down.includes(address));
  return kind === 'outage' && isKnown ? kind : 'open';
}

function kindAfterBurst({ kind }: Sampling, bursts: Sampling['bursts'], relevant: readonly string[]): Sampling['kind'] {
  const last = countedIn(bursts.at(-1));
  const failedIn = (count: number): number =>
    bursts.slice(-count).reduce((sum, burst) => sum + countedIn(burst).mixed, 0);
  // With several addresses, more connections of each round can fail by chance, so that there are more bursts.
  const more = new Set(bursts.at(-1)?.connections.map(({ address }) => address)).size > 1 ? 1 : 0;
  const isFaulty = last.mixed > REPAIRED && FAULTY.some((limit, index) => failedIn(index + 1) >= limit + more);
  const turn = kind === 'intermittent' || last.mixed < MANY ? null : turnIn(bursts.at(-1));
  if (turn !== null) return turn === 'began' ? 'open' : 'clear';
  if (last.isForged || isFaulty) return 'intermittent';
  if (last.down.length > 0) return 'outage';
  const failing = connectionsIn(bursts.slice(-2)).filter((one) => isFailed(one) && relevant.includes(one.address));
  return kind === 'intermittent' && failing.length > REPAIRED ? kind : 'clear';
}

/**
 * Returns whether the fault began or ended during the burst: for each address, all connections before a moment worked
 * and all later ones failed, or the reverse. Null if it did neither.
 */
function turnIn(burst: Burst | undefined): 'began' | 'ended' | null {
  const turns = [...Map.groupBy(burst?.connections ?? [], ({ address }) => address).values()].map((own) => {
    const failures = own.map(isFailed);
    const changes = failures.filter((isFailure, index) => index > 0 && isFailure !== failures[index - 1]).length;
    if (changes !== 1) return null;
    return failures[0] === true ? 'ended' : 'began';
  });
  const [first = null] = turns;
  return turns.every((turn) => turn === first) ? first : null;
}

interface Counted {
  /** Addresses to which all connections failed. */
  readonly down: readonly string[];
  /** Addresses to which no connection failed. */
  readonly clean: readonly string[];
  /** Failures at addresses where other connections worked. */
  readonly mixed: number;
  readonly isForged: boolean;
}

function countedIn(burst: Burst | undefined): Counted {
  const connections = burst?.connections ?? [];
  const places = Map.groupBy(connections, ({ address }) => address);
  const isAllDown = connections.every(isFailed);
  const where = (holds: (own: readonly Connection[]) => boolean): readonly string[] =>
    [...places].flatMap(([address, own]) => (holds(own) ? [address] : []));
  const down = where((own) => (isAllDown || own.length >= FEWEST) && own.every(isFailed));
  const mixed = connections.filter((one) => isFailed(one) && !down.includes(one.address));
  return {
    down,
    clean: where((own) => !own.some(isFailed)),
    mixed: mixed.length,
    isForged: mixed.some(({ fault }) => isForged(fault)),
  };
}

/** Returns the addresses that always fail and those that never do. Null if the fault does not depend on the address. */
export function sidesOf({ kind, own, bursts }: Sampling): Readonly<Record<'bad' | 'good', readonly string[]>> | null {
  if (kind !== 'outage') return null;
  const { down, clean } = countedIn(bursts.at(-1));
  const isFailing = (address: string): boolean => own.some((one) => one.address === address && isFailed(one));
  const works = own.map(({ address }) => address).filter((address) => !isFailing(address));
  const good = [...new Set([...clean, ...works])].filter((address) => !isFailing(address));
  const bad = down.filter((address) => !good.includes(address));
  return bad.length > 0 && good.length > 0 ? { bad, good } : null;
}

/** Returns the connections that show the fault: those of the last burst, unless the fault may have ended before it. */
export function measured({ kind, bursts }: Pick<Sampling, 'kind' | 'bursts'>): readonly Connection[] {
  const last = bursts.at(-1)?.connections ?? [];
  const mayBeOver = kind === 'intermittent' && last.filter(isFailed).length <= REPAIRED;
  return mayBeOver ? connectionsIn(bursts.slice(-2)) : last;
}

/** Probability that an address which the fault affects as well shows no failure. */
const OVERLOOKED = 0.05;

/** Returns the addresses with so many connections and no failure that an intermittent fault does not affect them. */
export function unaffected({ bursts }: Sampling): readonly string[] {
  const places = [...Map.groupBy(connectionsIn(bursts), ({ address }) => address)];
  const affected = places.flatMap(([, own]) => (own.some(isFailed) ? own : []));
  const works = 1 - affected.filter(isFailed).length / affected.length;
  return places.flatMap(([address, own]) =>
    !own.some(isFailed) && works ** own.length <= OVERLOOKED ? [address] : [],
  );
}

function connectionsIn(bursts: Sampling['bursts']): readonly Connection[] {
  return bursts.flatMap(({ connections }) => connections);
}

/** All addresses have the same weight, because a client can get any of them. */
function isGrave(seen: readonly Connection[], deciding: readonly string[], before: boolean): boolean {
  const connections = seen.filter(({ address }) => deciding.includes(address));
  const shares = [...Map.groupBy(connections, ({ address }) => address).values()].map(
    (own) => own.filter(isFailed).length / own.length,
  );
  const sum = shares.reduce((total, share) => total + share, 0);
  return shares.length > 0 && sum >= shares.length * (before ? GRAVE.until : GRAVE.from);
}

/**
 * Unlike packet loss, a forged certificate never occurs by chance. It counts once other connections have received the
 * genuine certificate.
 */
function contradicted(before: Sampling, { kind, own, at }: Pick<Sampling, 'kind' | 'own' | 'at'>): readonly Burst[] {
  if (kind !== 'clear' && kind !== 'intermittent') return [];
  const earlier = before.kind === 'open' ? before.own.map((one) => ({ at: before.at, connections: [one] })) : [];
  return [...earlier, ...own.map((one) => ({ at, connections: [one] }))].filter(({ connections: [one] }) =>
    isForged(one?.fault ?? null),
  );
}

export function isFailed({ fault }: Connection): boolean {
  return fault !== null;
}

function isForged(fault: ConnectionFault | null): boolean {
  return fault?.cause === 'tls-intercepted' || fault?.cause === 'tls-interception-suspected';
}

const BURST_SIZE = 20;
/** With more addresses, each address would get too few connections. */
const MOST_IN_BURST = 4;
/** Limits the load on the licence server. A burst in which every connection fails causes no load. */
const BURSTS = { most: 2, mostUndecided: 3, mostOfOutages: 6, within: 600_000, again: 300_000, asked: 1_200_000 };
const COMPLAINT_AGE: Millis = 60_000;

/**
 * Returns one address for each connection of the next round's burst.
 * @param complainedAt time of the last connection error in FortiAuthenticator's log
 */
export function burstOf(sampling: Sampling, at: EpochMs, complainedAt: EpochMs | null): readonly string[] {
  const isDue = isUndecided(sampling) || isMeasuredAgain(sampling, at) || isAsked(sampling, at, complainedAt);
  const addresses = isDue && hasRoom(sampling, at) ? relevantOf(sampling.addresses).slice(0, MOST_IN_BURST) : [];
  return Array.from({ length: Math.floor(BURST_SIZE / Math.max(1, addresses.length)) }, () => addresses).flat();
}

function isMeasuredAgain(sampling: Sampling, at: EpochMs): boolean {
  const { kind, addresses, bursts } = sampling;
  const last = bursts.at(-1);
  const relevant = relevantOf(addresses);
  const isMoved = last?.connections.every(({ address }) => !relevant.includes(address)) === true;
  return kind === 'intermittent' && (isMoved || isConstant(sampling) || !isRecent(last?.at ?? 0, at, BURSTS.again));
}

function isAsked({ kind, bursts }: Sampling, at: EpochMs, complainedAt: EpochMs | null): boolean {
  if (kind !== 'clear' || complainedAt === null || !isRecent(complainedAt, at, COMPLAINT_AGE)) return false;
  return !isRecent(bursts.at(-1)?.at ?? 0, at, BURSTS.asked);
}

/** The next burst decides what the last connections mean. */
function isUndecided({ kind, bursts, at }: Sampling): boolean {
  const last = bursts.at(-1);
  return kind === 'open' || (kind === 'clear' && last?.at === at && countedIn(last).mixed >= DOUBTFUL);
}

function hasRoom({ kind, bursts }: Sampling, at: EpochMs): boolean {
  const recent = bursts.filter((burst) => isRecent(burst.at, at, BURSTS.within));
  const working = recent.filter(({ connections }) => !connections.every(isFailed));
  return (
    recent.length < BURSTS.mostOfOutages &&
    working.length < (kind === 'intermittent' ? BURSTS.most : BURSTS.mostUndecided)
  );
}

/** The next round should start immediately. */
export function needsBurst(sampling: Sampling, at: EpochMs): boolean {
  return isUndecided(sampling) && hasRoom(sampling, at);
}

/** A connection failed, possibly by chance, and the limits permit no burst to confirm the failure. */
export function isDoubtful(sampling: Sampling): boolean {
  const { kind, at, own } = sampling;
  const mayBeChance = own.every(({ fault }) => fault?.confidence !== 'confirmed' && !isForged(fault));
  return kind === 'open' && !isConstant(sampling) && mayBeChance && !hasRoom(sampling, at);
}

/**
 * For several rounds, every connection has failed, so that the fault is an outage until a burst shows otherwise. If
 * most connections fail anyway, more rounds are needed.
 */
export function isConstant(sampling: Sampling): boolean {
  const { kind, run } = sampling;
  const seen = kind === 'intermittent' ? measured(sampling) : [];
  const share = seen.filter(isFailed).length / Math.max(1, seen.length);
  return run > DOUBTED_RUN && share ** run < UNLIKELY_RUN;
}
