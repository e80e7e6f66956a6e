import * as z from 'zod';
import type { AnswerFaults } from '../checks/intermittent/answers.ts';
import { NO_SAMPLES, type Sampling } from '../checks/intermittent/sampling.ts';
import { type FaultId, isFaultId } from '../checks/registry.ts';
import { type Clock, type EpochMs, isRecent, type Millis } from '../core/clock.ts';
import type { CloserLook, MailOutcome } from '../core/observation.ts';
import type { RoundObservations } from '../core/round.ts';
import type { BackgroundFile } from '../system/json-file.ts';
import { loadMailRoots, type MailRoots } from './mail-roots.ts';

const HOUR: Millis = 3_600_000;

export interface RoundMemory {
  readonly sampling: SamplingMemory;
  readonly olderTls: OlderTls;
  readonly closerLooks: CloserLooks;
  readonly deferrals: MailDeferrals;
  readonly mailRoots: MailRoots;
  /** Hosts that have responded since startup, as `host:port`. */
  readonly answered: Set<string>;
  readonly roundTrips: RoundTrips;
  /** Private addresses that have presented the genuine certificate since startup. */
  readonly relays: Set<string>;
  answers: AnswerFaults;
}

/** If there is no file, the data is kept only while the process runs. */
export interface MemoryFiles {
  readonly samplingFile?: BackgroundFile;
  readonly mailRootsFile?: BackgroundFile;
}

export async function loadRoundMemory(
  target: string,
  { samplingFile, mailRootsFile }: MemoryFiles,
  clock: Clock,
): Promise<RoundMemory> {
  return {
    sampling: await loadSampling(samplingFile ?? null, target, clock.now()),
    olderTls: createOlderTls(clock),
    closerLooks: createCloserLooks(clock),
    deferrals: createMailDeferrals(clock),
    mailRoots: await loadMailRoots(mailRootsFile ?? null, clock),
    answered: new Set(),
    roundTrips: createRoundTrips(),
    relays: new Set(),
    answers: [],
  };
}

/**
 * Kept across restarts. Otherwise, a fault that affects half of the connections would be reported as resolved after a
 * restart, and then reported again.
 */
interface SamplingMemory {
  current(): Sampling;
  /** Saves the new state if it contains a failure. */
  note(sampling: Sampling): void;
}

/** Maximum interruption after which saved data is still used. */
const LONGEST_BREAK: Millis = 15 * 60_000;

const instant = z.number().int();
const text = z.string().max(20_000);

const fault = z.object({
  stage: z.literal(['reachability', 'tls-genuine']),
  cause: z.custom<FaultId>((value) => typeof value === 'string' && isFaultId(value)),
  confidence: z.literal(['confirmed', 'suspected']),
  product: text.nullable(),
  claim: text,
});

const connection = z.object({ address: text, fault: fault.nullable(), repeated: z.literal(true).exactOptional() });
const connections = z.array(connection).max(1_000);
const bursts = z.array(z.object({ at: instant, connections })).max(1_000);

/** Data of other format versions is discarded, because it describes failures in another way. */
const samplingContent = z.object({
  version: z.literal(3),
  target: text,
  sampling: z.object({
    kind: z.literal(['clear', 'open', 'outage', 'intermittent']),
    at: instant,
    own: connections,
    run: z.number(),
    addresses: z.array(z.object({ address: text, at: instant, isBack: z.boolean() })).max(1_000),
    bursts,
    grave: z.boolean(),
    main: fault.pick({ stage: true, cause: true }).nullable(),
    forged: bursts,
  }),
});

async function loadSampling(file: BackgroundFile | null, target: string, now: EpochMs): Promise<SamplingMemory> {
  const { data } = samplingContent.safeParse(await file?.load());
  const isKept = data?.target === target && isRecent(data.sampling.at, now, LONGEST_BREAK);
  let sampling: Sampling = isKept ? data.sampling : NO_SAMPLES;
  return {
    current: () => sampling,
    note: (next) => {
      const saysNothing = isClear(sampling) && isClear(next);
      sampling = next;
      if (!saysNothing) file?.save({ version: 3, target, sampling });
    },
  };
}

function isClear({ kind, bursts: seen, forged }: Sampling): boolean {
  return kind === 'clear' && seen.length === 0 && forged.length === 0;
}

/** Minimum interval between looks while FortiAuthenticator reports errors. */
const LEAST_GAP: Millis = 300_000;

/** TLS 1.2 is checked in addition to TLS 1.3, because some devices inspect or block only TLS 1.2. */
interface OlderTls {
  /**
   * If a look is due, also records it as done.
   * @param isComplained whether FortiAuthenticator's log reports failed connections
   */
  isDue(isComplained: boolean): boolean;
  /** While the versions differ, a look is due in each round, so that a repair is detected immediately. */
  differs: boolean;
}

function createOlderTls({ now }: Pick<Clock, 'now'>): OlderTls {
  let lookedAt: EpochMs | null = null;
  const memory: OlderTls = {
    differs: false,
    isDue: (isComplained) => {
      const isDue = memory.differs || lookedAt === null || !isRecent(lookedAt, now(), isComplained ? LEAST_GAP : HOUR);
      if (isDue) lookedAt = now();
      return isDue;
    },
  };
  return memory;
}

/** A block is examined only occasionally, because the additional connections could be mistaken for a scan. */
interface CloserLooks {
  /** Returns null if the block must be examined again. */
  recent(block: string): CloserLook | null;
  keep(block: string, look: CloserLook): CloserLook;
}

const BLOCK_KEPT: Millis = 300_000;

function createCloserLooks({ now }: Pick<Clock, 'now'>): CloserLooks {
  const kept = new Map<string, { readonly at: EpochMs; readonly look: CloserLook }>();

  return {
    recent: (block) => {
      const found = kept.get(block);
      return found !== undefined && isRecent(found.at, now(), BLOCK_KEPT) ? found.look : null;
    },
    keep: (block, look) => {
      for (const [old, seen] of kept) if (!isRecent(seen.at, now(), BLOCK_KEPT)) kept.delete(old);
      kept.set(block, { at: now(), look });
      return look;
    },
  };
}

/** A device on the path that refuses or closes a connection answers faster than the server ever has. */
interface RoundTrips {
  /** Lower bound of the round trip, by address. */
  known(): ReadonlyMap<string, Millis>;
  note(round: Pick<RoundObservations, 'path' | 'stalledMs'>): void;
}

const FEWEST_CONNECTS = 4;
/** If the connect time is at least this long, the SYN packet must have been retransmitted (RFC 6298 §2). */
const REPEATED_SYN: Millis = 1000;
/** Shorter measurements are dominated by timers and scheduling. */
const SHORTEST: Millis = 4;
/** The path to an address can change, so only the latest connections count. */
const MOST_CONNECTS = 20;
const MOST_ADDRESSES = 256;

export function createRoundTrips(): RoundTrips {
  const connects = new Map<string, readonly Millis[]>();
  return {
    known: () =>
      new Map(
        [...connects].flatMap(([address, kept]) => {
          const least = Math.min(...kept);
          return kept.length < FEWEST_CONNECTS || least < SHORTEST ? [] : [[address, least] as const];
        }),
      ),
    note: ({ path: { licenseServer, services, burst }, stalledMs }) => {
      const endpoints = [...[licenseServer, ...services].flatMap((path) => path.endpoints), ...burst];
      for (const { address, proxy, tcp } of endpoints) {
        if (proxy !== null || tcp.kind !== 'open' || tcp.durationMs >= REPEATED_SYN) continue;
        const kept = [...(connects.get(address) ?? []), tcp.durationMs - stalledMs].slice(-MOST_CONNECTS);
        connects.delete(address);
        connects.set(address, kept);
      }
      for (const oldest of [...connects.keys()].slice(0, -MOST_ADDRESSES)) connects.delete(oldest);
    },
  };
}

/** After a deferral, the server accepts this sender for a long time, but still defers new senders. */
const DEFERRAL_KEPT: Millis = 24 * HOUR;

/** Records how long mail servers have deferred this machine with "come back later" (greylisting). */
interface MailDeferrals {
  /**
   * Returns the time from the first refusal until the server accepted mail, or until now. Null if there was no
   * deferral.
   */
  note(server: string, outcome: MailOutcome): Millis | null;
}

interface Deferral {
  readonly since: EpochMs;
  /** Null while the deferral continues. */
  readonly until: EpochMs | null;
}

function createMailDeferrals({ now }: Pick<Clock, 'now'>): MailDeferrals {
  const deferrals = new Map<string, Deferral>();
  return {
    note: (server, outcome) => {
      const next = nextDeferral(deferrals.get(server) ?? null, outcome, now());
      if (next === null) {
        deferrals.delete(server);
        return null;
      }
      deferrals.set(server, next);
      return (next.until ?? now()) - next.since;
    },
  };
}

function nextDeferral(before: Deferral | null, outcome: MailOutcome, at: EpochMs): Deferral | null {
  const open = before?.until === null ? before : null;
  const over = open === null ? before : null;
  if (outcome.kind === 'accepted') return open === null ? whileKept(over, at) : { ...open, until: at };
  if (isDeferral(outcome)) return open ?? { since: at, until: null };
  // A deferral is discarded if the server becomes unreachable or rejects mail permanently, because the end of the
  // deferral is then unknown.
  return over;
}

function whileKept(over: Deferral | null, at: EpochMs): Deferral | null {
  return over !== null && at - (over.until ?? at) <= DEFERRAL_KEPT ? over : null;
}

/** Returns whether the server asked the client to come back later (4yz, RFC 5321 §4.2.1). */
function isDeferral({ reason, stage, code }: Extract<MailOutcome, { kind: 'failed' }>): boolean {
  const isTemporary = code !== null && code >= 400 && code < 500;
  return reason === 'rejected' && isTemporary && (stage === 'sender' || stage === 'recipient');
}
