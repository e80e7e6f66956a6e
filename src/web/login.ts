import { createHmac, randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import ipaddr from 'ipaddr.js';
import type { WebConfig } from '../config/schema/web.ts';
import { allOrProblems } from '../system/all-problems.ts';
import { readSecret } from '../system/secret.ts';
import type { Clock, Millis } from '../core/clock.ts';
import { parsePasswordHash, type PasswordHash, verifyPassword } from './password-hash.ts';
import { messageOf } from '../text/message-of.ts';

/** `later`: the password was not checked because too many checks are waiting or too many attempts were wrong. */
type LoginOutcome =
  /** `isStillRight` is true until the user's password changes. */
  | { readonly kind: 'accepted'; readonly isStillRight: () => Promise<boolean> }
  | { readonly kind: 'refused' }
  | { readonly kind: 'later'; readonly retryAfter: Millis };

interface Login {
  /** @param address of the client */
  check(name: string, password: string, address: string | undefined): Promise<LoginOutcome>;
}

/**
 * How long a correct password is remembered. The hash is slow on purpose, and a page sends several requests in a row.
 */
const REMEMBERED: Millis = 60_000;
const MAX_REMEMBERED = 1_000;
/**
 * Maximum number of waiting checks. Passwords are checked one at a time, because each check needs a lot of memory and a
 * thread of the pool that name resolution also uses.
 */
const MAX_WAITING = 8;
/** Keeps one client from using all places. */
const MAX_WAITING_OF_ONE = 4;
/** Extra places for clients that have logged in before. */
const MORE_FOR_TRUSTED = 4;
const QUEUE_PASSES: Millis = 5_000;

interface LoginDeps {
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'warn'>;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Hash files are read at each check, so a changed password applies immediately. If a hash cannot be used, the previous
 * one stays in effect.
 * @throws {Error} listing each user whose hash cannot be read or parsed, one per line
 */
export async function createLogin(users: readonly User[], { clock, logger, env }: LoginDeps): Promise<Login> {
  const known = await allOrProblems(
    users.map(async (user): Promise<KnownUser> => {
      const hash = await keepSecret(
        () => readHash(user, env),
        (problem) => logger.warn(`${problem}: the hash read before stays in force`),
      );
      return { name: user.name, hash };
    }),
  );
  const accepted = createAcceptedLogins(clock);
  const limit = new LoginLimit(clock);
  const queue = createQueue();
  const userOf = createUserLookup(known);

  async function check(name: string, password: string, address: string | undefined): Promise<LoginOutcome> {
    const { user, known } = userOf(name);
    const hash = await user.hash();
    const outcomeOf = (isRight: boolean): LoginOutcome =>
      isRight
        ? { kind: 'accepted', isStillRight: async () => isDeepStrictEqual(await user.hash(), hash) }
        : { kind: 'refused' };
    const id = accepted.keyOf([name, password, hash]);
    if (accepted.has(id)) return outcomeOf(true);
    const same = queue.joined(id);
    if (same !== null) return outcomeOf(await same);
    const network = networkOf(address);
    const wait = limit.take(network);
    if (wait !== null) return { kind: 'later', retryAfter: wait };
    const verified = queue.add({ id, network, trusted: limit.isTrusted(network) }, async () => {
      const isRight = (await verifyPassword(password, hash)) && known;
      if (!isRight) return false;
      accepted.add(id);
      limit.giveBack(network);
      limit.trust(network);
      return true;
    });
    if (verified !== null) return outcomeOf(await verified);
    limit.giveBack(network);
    return { kind: 'later', retryAfter: QUEUE_PASSES };
  }

  return { check };
}

type User = Pick<WebConfig['users'][number], 'name' | 'passwordHash'>;

interface KnownUser {
  readonly name: string;
  readonly hash: () => Promise<PasswordHash>;
}

/**
 * Returns the user to check a password against. Each unknown name is always assigned the same user, so the response
 * time does not reveal which names exist, even if the users' hashes differ in kind and cost.
 */
function createUserLookup(
  users: readonly KnownUser[],
): (name: string) => { readonly user: KnownUser; readonly known: boolean } {
  const key = randomBytes(32);
  const byName: ReadonlyMap<string, KnownUser> = new Map(users.map((user) => [user.name, user]));
  return (name) => {
    const named = byName.get(name);
    const user = named ?? users[createHmac('sha256', key).update(name).digest().readUInt32BE() % users.length];
    if (user === undefined) throw new RangeError('Cannot check a login: expected at least one user');
    return { user, known: named !== undefined };
  };
}

async function readHash({ name, passwordHash }: User, env: NodeJS.ProcessEnv): Promise<PasswordHash> {
  try {
    return parsePasswordHash(await readSecret(passwordHash, env));
  } catch (error) {
    throw new Error(`Cannot check the password of web user "${name}": ${messageOf(error)}`, { cause: error });
  }
}

/** Remembers logins under a keyed digest. The passwords themselves are not stored. */
function createAcceptedLogins(clock: Clock) {
  const key = randomBytes(32);
  const until = new BoundedMap<Millis>(MAX_REMEMBERED);
  return {
    keyOf: (parts: readonly unknown[]) => createHmac('sha256', key).update(JSON.stringify(parts)).digest('base64'),
    has: (login: string) => (until.get(login) ?? 0) > clock.elapsed(),
    add: (login: string) => void until.set(login, clock.elapsed() + REMEMBERED),
  };
}

interface Waiting {
  readonly id: string;
  readonly network: string;
  readonly trusted: boolean;
}

/** Runs one job after the other. */
function createQueue() {
  const waiting = new Map<string, { readonly network: string; readonly result: Promise<boolean> }>();
  let last: Promise<unknown> = Promise.resolve();
  return {
    /** Returns the result of an identical job that is waiting or running. */
    joined: (id: string) => waiting.get(id)?.result ?? null,
    /** Returns null if too many jobs are waiting. */
    add({ id, network, trusted }: Waiting, job: () => Promise<boolean>) {
      const own = [...waiting.values()].filter((other) => other.network === network).length;
      if (own >= MAX_WAITING_OF_ONE || waiting.size >= MAX_WAITING + (trusted ? MORE_FOR_TRUSTED : 0)) return null;
      const result = last.then(job).finally(() => waiting.delete(id));
      waiting.set(id, { network, result });
      last = result.catch(() => undefined);
      return result;
    },
  };
}

/** A map that drops the least recently set entry when it is full. */
class BoundedMap<T> extends Map<string, T> {
  readonly #most: number;

  constructor(most: number) {
    super();
    this.#most = most;
  }

  /** Moves the entry to the end, as the most recent. */
  override set(key: string, value: T): this {
    this.delete(key);
    super.set(key, value);
    const [oldest] = this.keys();
    if (this.size > this.#most && oldest !== undefined) this.delete(oldest);
    return this;
  }
}

interface Budget {
  readonly burst: number;
  /** Interval after which one more attempt is allowed. */
  readonly every: Millis;
}

/** Enough for typing errors, but limits a program to 14,400 guesses a day. */
const OWN: Budget = { burst: 10, every: 6_000 };
/** Each attempt costs about a quarter of a second of CPU time, which the probes also need. */
const EVERYBODY: Budget = { burst: 40, every: 1_000 };
/** Beyond this number, the network that has been quiet longest is forgotten. The shared budget still applies. */
const MAX_NETWORKS = 4_096;
const TRUSTED_FOR: Millis = 24 * 3_600_000;

/** Attempts counted at a point in time. The count decreases over time. */
interface Taken {
  count: number;
  at: Millis;
}

/** Limits wrong passwords per network and in total. Uses bounded memory, however many clients try. */
export class LoginLimit {
  readonly #clock: Clock;
  readonly #byNetwork = new BoundedMap<Taken>(MAX_NETWORKS);
  readonly #trustedUntil = new BoundedMap<Millis>(MAX_NETWORKS);
  readonly #everybody: Taken = { count: 0, at: 0 };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts an attempt. @returns null if it is allowed, or how long to wait */
  take(network: string): Millis | null {
    const now = this.#clock.elapsed();
    const own = this.#byNetwork.get(network) ?? { count: 0, at: now };
    const common = this.isTrusted(network) ? 0 : waitFor(this.#everybody, EVERYBODY, now);
    const wait = Math.max(waitFor(own, OWN, now), common);
    if (wait > 0) return wait;
    own.count += 1;
    this.#everybody.count += 1;
    this.#byNetwork.set(network, own);
    return null;
  }

  /** Returns an attempt to the budget if no password was checked or it was correct. */
  giveBack(network: string): void {
    for (const taken of [this.#byNetwork.get(network), this.#everybody])
      if (taken !== undefined) taken.count = Math.max(0, taken.count - 1);
  }

  /** Called after a correct password. Wrong attempts from other networks no longer block this network. */
  trust(network: string): void {
    this.#trustedUntil.set(network, this.#clock.elapsed() + TRUSTED_FOR);
  }

  isTrusted(network: string): boolean {
    return (this.#trustedUntil.get(network) ?? 0) > this.#clock.elapsed();
  }
}

/** Decreases the count by the time passed. Returns how long to wait before the next attempt; 0 if none. */
function waitFor(taken: Taken, { burst, every }: Budget, now: Millis): Millis {
  taken.count = Math.max(0, taken.count - (now - taken.at) / every);
  taken.at = now;
  return taken.count <= burst - 1 ? 0 : (taken.count - (burst - 1)) * every;
}

/**
 * Returns the network that one party controls: an IPv4 address or an IPv6 /64. An IPv6 host can use every address of
 * its /64 (RFC 4291 §2.5.4).
 */
export function networkOf(address: string | undefined): string {
  if (address === undefined || !ipaddr.isValid(address)) return 'unknown';
  const parsed = ipaddr.process(address);
  return parsed.kind() === 'ipv4'
    ? parsed.toString()
    : `${Buffer.from(parsed.toByteArray().slice(0, 8)).toString('hex')}/64`;
}

/**
 * Reads a secret now and again at each use. If it cannot be read, the previous value stays in effect, so a file that is
 * missing or half written for a moment does not lock anyone out.
 * @param read rejects with the reason, never with a part of the secret
 * @param onProblem called once for each problem
 * @throws {Error} of `read`, if the secret cannot be used now
 */
export async function keepSecret<T>(
  read: () => Promise<T>,
  onProblem: (problem: string) => void,
): Promise<() => Promise<T>> {
  let kept = await read();
  let known: string | null = null;
  return async () => {
    try {
      kept = await read();
      known = null;
    } catch (error) {
      const problem = messageOf(error);
      if (problem !== known) onProblem(problem);
      known = problem;
    }
    return kept;
  };
}
