import { createHmac, randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import ipaddr from 'ipaddr.js';
import type { WebConfig } from '../config/schema/web.ts';
import { allOrProblems, messageOf } from '../text/message-of.ts';
import { readSecret } from '../system/secret.ts';
import type { Clock, Millis } from '../core/clock.ts';
import { parsePasswordHash, type PasswordHash, verifyPassword } from './password-hash.ts';

type LoginOutcome =
  | { readonly kind: 'accepted' | 'refused' }
  /** The password was not checked, because too many checks are pending or too many attempts have failed. */
  | { readonly kind: 'later'; readonly retryAfter: Millis };

interface Login {
  check(name: string, password: string, address: string | undefined): Promise<LoginOutcome>;
}

/** Password checks are deliberately slow, and a page sends several requests in quick succession. */
const REMEMBERED: Millis = 60_000;
const MAX_REMEMBERED = 1_000;
/**
 * Checks run one at a time, because each needs a lot of memory and a thread from the pool that DNS lookups also use.
 * A network with a recent correct login is not subject to this limit, only to its own limit on wrong passwords.
 */
const MAX_PENDING = 8;
const QUEUE_PASSES: Millis = 5_000;

interface LoginDeps {
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'warn'>;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * A password hash is read again for each check, so a changed password takes effect immediately. If it cannot be used,
 * the previous hash stays active.
 * @throws {Error} that lists each user whose hash cannot be read or parsed, one per line
 */
export async function createLogin(users: readonly User[], { clock, logger, env }: LoginDeps): Promise<Login> {
  const known = await allOrProblems(
    users.map(async (user): Promise<KnownUser> => {
      const hash = await keepSecret(
        () => readHash(user, env),
        (problem) => logger.warn({ event: 'secret-not-loaded' }, `${problem}. The previous hash stays active`),
      );
      return { name: user.name, hash };
    }),
  );
  const accepted = createAcceptedLogins(clock);
  const limit = new LoginLimit(clock);
  const pending = new Map<string, Promise<boolean>>();
  let last: Promise<unknown> = Promise.resolve();
  const userOf = createUserLookup(known);

  async function check(name: string, password: string, address: string | undefined): Promise<LoginOutcome> {
    const { user, known } = userOf(name);
    const hash = await user.hash();
    const outcomeOf = (isRight: boolean): LoginOutcome => ({ kind: isRight ? 'accepted' : 'refused' });
    const id = accepted.keyOf([name, password, hash]);
    if (accepted.has(id)) return outcomeOf(true);
    const same = pending.get(id);
    if (same !== undefined) return outcomeOf(await same);
    const network = networkOf(address);
    if (pending.size >= MAX_PENDING && !limit.isTrusted(network)) return { kind: 'later', retryAfter: QUEUE_PASSES };
    const wait = limit.take(network);
    if (wait !== null) return { kind: 'later', retryAfter: wait };
    const verified = last
      .then(async () => {
        const isRight = (await verifyPassword(password, hash)) && known;
        if (!isRight) return false;
        accepted.add(id);
        limit.giveBack(network);
        limit.trust(network);
        return true;
      })
      .finally(() => pending.delete(id));
    pending.set(id, verified);
    last = verified.catch(() => undefined);
    return outcomeOf(await verified);
  }

  return { check };
}

type User = Pick<WebConfig['users'][number], 'name' | 'passwordHash'>;

interface KnownUser {
  readonly name: string;
  readonly hash: () => Promise<PasswordHash>;
}

/**
 * An unknown name is always mapped to the same existing user. Therefore, the response time does not reveal which names
 * exist, even if the hashes differ in type and cost.
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
    const source = passwordHash.kind === 'file' ? `file "${passwordHash.path}"` : `variable "${passwordHash.name}"`;
    throw new Error(`Cannot check the password of web user "${name}" (${source}): ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Logins are remembered as keyed digests, so that the passwords are not kept in memory. */
function createAcceptedLogins(clock: Clock) {
  const key = randomBytes(32);
  const until = new BoundedMap<Millis>(MAX_REMEMBERED);
  return {
    keyOf: (parts: readonly unknown[]) => createHmac('sha256', key).update(JSON.stringify(parts)).digest('base64'),
    has: (login: string) => (until.get(login) ?? 0) > clock.elapsed(),
    add: (login: string) => void until.set(login, clock.elapsed() + REMEMBERED),
  };
}

/** When the map is full, the least recently set entry is removed. */
class BoundedMap<T> extends Map<string, T> {
  readonly #most: number;

  constructor(most: number) {
    super();
    this.#most = most;
  }

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
  /** One more attempt is allowed after this time. */
  readonly every: Millis;
}

/** Per network: allows for typing errors, but restricts a program to 14,400 guesses per day. */
const OWN: Budget = { burst: 10, every: 6_000 };
/** For all networks together: each attempt takes about 250 ms of CPU time, which the probes also need. */
const EVERYBODY: Budget = { burst: 40, every: 1_000 };
/** If a network is forgotten, the shared limit still applies to it. */
const MAX_NETWORKS = 4_096;
const TRUSTED_FOR: Millis = 24 * 3_600_000;

/** The number of attempts that counted at a given time. It decreases as time passes. */
interface Taken {
  count: number;
  at: Millis;
}

/** Limits the number of wrong passwords for each network and in total, with a limited amount of memory. */
export class LoginLimit {
  readonly #clock: Clock;
  readonly #byNetwork = new BoundedMap<Taken>(MAX_NETWORKS);
  readonly #trustedUntil = new BoundedMap<Millis>(MAX_NETWORKS);
  readonly #everybody: Taken = { count: 0, at: 0 };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts an attempt and returns null if it is allowed, otherwise the time to wait before the next attempt. */
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

  /** Cancels a counted attempt, because the password was correct. */
  giveBack(network: string): void {
    for (const taken of [this.#byNetwork.get(network), this.#everybody])
      if (taken !== undefined) taken.count = Math.max(0, taken.count - 1);
  }

  /** Failed attempts from other networks no longer block this network. */
  trust(network: string): void {
    this.#trustedUntil.set(network, this.#clock.elapsed() + TRUSTED_FOR);
  }

  isTrusted(network: string): boolean {
    return (this.#trustedUntil.get(network) ?? 0) > this.#clock.elapsed();
  }
}

/**
 * Reduces the number of attempts according to the time that has passed. Returns 0 if an attempt is allowed immediately.
 */
function waitFor(taken: Taken, { burst, every }: Budget, now: Millis): Millis {
  taken.count = Math.max(0, taken.count - (now - taken.at) / every);
  taken.at = now;
  return taken.count <= burst - 1 ? 0 : (taken.count - (burst - 1)) * every;
}

/** The /64 prefix for IPv6, because an IPv6 host can use every address in its /64 (RFC 4291 §2.5.4). */
export function networkOf(address: string | undefined): string {
  if (address === undefined || !ipaddr.isValid(address)) return 'unknown';
  const parsed = ipaddr.process(address);
  return parsed.kind() === 'ipv4'
    ? parsed.toString()
    : `${Buffer.from(parsed.toByteArray().slice(0, 8)).toString('hex')}/64`;
}

/**
 * Reads a secret and returns a function that reads it again for each use. If a later read fails, the previous value
 * stays active, so that a temporarily missing or incomplete file does not lock anyone out.
 * @param read rejects with a reason that never contains any part of the secret
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
