import { createHmac, randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import ipaddr from 'ipaddr.js';
import type { WebConfig } from '../config/schema/web.ts';
import { allOrProblems, messageOf } from '../text/message-of.ts';
import { readSecret } from '../system/secret.ts';
import type { Clock, Millis } from '../core/clock.ts';
import { parsePasswordHash, type PasswordHash, verifyPassword } from './password-hash.ts';

/**
 * The result of a login attempt. `later` means that the password was not checked, because too many checks are pending
 * or too many attempts have failed.
 */
type LoginOutcome =
  /** The name and password are correct. `isStillRight` returns true until the user's password changes. */
  | { readonly kind: 'accepted'; readonly isStillRight: () => Promise<boolean> }
  | { readonly kind: 'refused' }
  | { readonly kind: 'later'; readonly retryAfter: Millis };

interface Login {
  /**
   * Checks a user name and password.
   * @param address the address of the client
   */
  check(name: string, password: string, address: string | undefined): Promise<LoginOutcome>;
}

/**
 * The time for which a successful login is remembered. Password checks are deliberately slow, and a page sends several
 * requests in quick succession.
 */
const REMEMBERED: Millis = 60_000;
const MAX_REMEMBERED = 1_000;
/**
 * The maximum number of pending password checks. Checks run one at a time, because each of them needs a lot of memory
 * and a thread from the pool that DNS lookups also use.
 */
const MAX_WAITING = 8;
/** The maximum number of pending checks per client, so that a single client cannot fill the queue. */
const MAX_WAITING_OF_ONE = 4;
/** The number of additional pending checks that are allowed for clients that have logged in before. */
const MORE_FOR_TRUSTED = 4;
const QUEUE_PASSES: Millis = 5_000;

interface LoginDeps {
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'warn'>;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Creates the login check. The file with the password hash is read for each check, so a changed password takes effect
 * immediately. If the file cannot be used, the previous hash stays active.
 * @throws {Error} that lists each user whose hash cannot be read or parsed, one per line
 */
export async function createLogin(users: readonly User[], { clock, logger, env }: LoginDeps): Promise<Login> {
  const known = await allOrProblems(
    users.map(async (user): Promise<KnownUser> => {
      const hash = await keepSecret(
        () => readHash(user, env),
        (problem) => logger.warn(`${problem}. The previous hash stays active`),
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
 * Returns a function that finds the password hash for a user name. An unknown name is always mapped to the same
 * existing user. The response time therefore does not reveal which names exist, even if the hashes differ in type and
 * cost.
 */
function createUserLookup(
  users: readonly KnownUser[],
): (name: string) => { readonly user: KnownUser; readonly known: boolean } {
  const key = randomBytes(32);
  const byName: ReadonlyMap<string, KnownUser> = new Map(users.map((user) => [user.name, user]));
  return (name) => {
    const named = byName.get(name);
    const user = named ?? users[createHmac('sha256', key).update(name).digest().readUInt32BE() % users.length];
    if (user === undefined) throw new RangeError('Cannot check a login: no users are configured');
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

/** Remembers successful logins by their keyed digests, so the passwords are not kept in memory. */
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

/** Creates a queue that runs one password check at a time. */
function createQueue() {
  const waiting = new Map<string, { readonly network: string; readonly result: Promise<boolean> }>();
  let last: Promise<unknown> = Promise.resolve();
  return {
    /** Returns the result of an identical check that is pending or running, or null if there is none. */
    joined: (id: string) => waiting.get(id)?.result ?? null,
    /** Adds a check to the queue. Returns null if too many checks are pending. */
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

/** A map with a maximum size. When the map is full, the least recently set entry is removed. */
class BoundedMap<T> extends Map<string, T> {
  readonly #most: number;

  constructor(most: number) {
    super();
    this.#most = most;
  }

  /** Sets an entry and moves it to the end, so that it is removed last. */
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
  /** The time after which one more attempt is allowed. */
  readonly every: Millis;
}

/** The limit for each network. It allows for typing errors, but restricts a program to 14,400 guesses per day. */
const OWN: Budget = { burst: 10, every: 6_000 };
/**
 * The limit for all networks together. Each attempt takes about 250 ms of CPU time, and the probes need CPU time as
 * well.
 */
const EVERYBODY: Budget = { burst: 40, every: 1_000 };
/**
 * The maximum number of networks whose attempts are counted. If there are more, the least recently active network is
 * forgotten. The shared limit still applies to it.
 */
const MAX_NETWORKS = 4_096;
const TRUSTED_FOR: Millis = 24 * 3_600_000;

/** The number of attempts at a certain time. The number decreases as time passes. */
interface Taken {
  count: number;
  at: Millis;
}

/**
 * Limits the number of wrong passwords, both for each network and in total. The memory use is limited even if there are
 * many clients.
 */
export class LoginLimit {
  readonly #clock: Clock;
  readonly #byNetwork = new BoundedMap<Taken>(MAX_NETWORKS);
  readonly #trustedUntil = new BoundedMap<Millis>(MAX_NETWORKS);
  readonly #everybody: Taken = { count: 0, at: 0 };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Counts a login attempt.
   * @returns null if the attempt is allowed, otherwise the time to wait before the next attempt
   */
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

  /** Cancels a counted attempt. Used if no password was checked or if the password was correct. */
  giveBack(network: string): void {
    for (const taken of [this.#byNetwork.get(network), this.#everybody])
      if (taken !== undefined) taken.count = Math.max(0, taken.count - 1);
  }

  /** Must be called after a successful login. Failed attempts from other networks then no longer block this network. */
  trust(network: string): void {
    this.#trustedUntil.set(network, this.#clock.elapsed() + TRUSTED_FOR);
  }

  isTrusted(network: string): boolean {
    return (this.#trustedUntil.get(network) ?? 0) > this.#clock.elapsed();
  }
}

/**
 * Reduces the number of attempts by the time that has passed. Returns the time to wait before the next attempt, or 0 if
 * an attempt is allowed immediately.
 */
function waitFor(taken: Taken, { burst, every }: Budget, now: Millis): Millis {
  taken.count = Math.max(0, taken.count - (now - taken.at) / every);
  taken.at = now;
  return taken.count <= burst - 1 ? 0 : (taken.count - (burst - 1)) * every;
}

/**
 * Returns the network that belongs to a single client: the address itself for IPv4, and the /64 prefix for IPv6. An
 * IPv6 host can use every address in its /64 (RFC 4291 §2.5.4).
 */
export function networkOf(address: string | undefined): string {
  if (address === undefined || !ipaddr.isValid(address)) return 'unknown';
  const parsed = ipaddr.process(address);
  return parsed.kind() === 'ipv4'
    ? parsed.toString()
    : `${Buffer.from(parsed.toByteArray().slice(0, 8)).toString('hex')}/64`;
}

/**
 * Reads a secret and returns a function that reads it again for each use. If a later read fails, the previous value
 * stays active. A temporarily missing or incomplete file therefore does not lock anyone out.
 * @param read reads the secret; rejects with the reason, which never contains a part of the secret
 * @param onProblem called once for each problem
 * @throws {Error} from `read` if the first read fails
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
