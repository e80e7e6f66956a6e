import { createHmac, randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import type { WebConfig } from '../config/schema/web.ts';
import { allOrProblems } from '../system/all-problems.ts';
import { readSecret } from '../system/secret.ts';
import type { Clock, Millis } from '../core/clock.ts';
import { BoundedMap } from './bounded-map.ts';
import { keepSecret } from './kept-secret.ts';
import { LoginLimit, networkOf } from './login-limit.ts';
import { parsePasswordHash, type PasswordHash, verifyPassword } from './password-hash.ts';
import { messageOf } from '../text/message-of.ts';

/** `later`: too many wait for an answer, or too many were wrong; the password was not looked at. */
export type LoginOutcome =
  /** Until the user has another password. */
  | { readonly kind: 'accepted'; readonly isStillRight: () => Promise<boolean> }
  | { readonly kind: 'refused' }
  | { readonly kind: 'later'; readonly retryAfter: Millis };

/** Answers who may come in. */
export interface Login {
  /** @param address of the client */
  check(name: string, password: string, address: string | undefined): Promise<LoginOutcome>;
}

/**
 * The hash is meant to be slow, and a page asks several times in a row: a password that was right stays right for so
 * long.
 */
const REMEMBERED: Millis = 60_000;
const MAX_REMEMBERED = 1_000;
/**
 * One at a time: each costs as much memory and a thread of those that name resolution needs too. More than these do not
 * wait.
 */
const MAX_WAITING = 8;
/** Nobody takes all places. */
const MAX_WAITING_OF_ONE = 4;
/** Kept for those who were right before. */
const MORE_FOR_TRUSTED = 4;
const QUEUE_PASSES: Millis = 5_000;

interface LoginDeps {
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'warn'>;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Hash files are read at each check, so that a changed password counts at once. One that cannot be used leaves the
 * hash before it in force.
 * @throws {Error} naming each user whose hash cannot be read or understood, on a line of its own
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
 * For a name that nobody has, a user in whose place the password is checked, always the same for a name: so the time an
 * answer takes does not tell who is known, even when the hashes of the users differ in kind and cost.
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

/** Remembers logins under a keyed digest: the passwords themselves are kept nowhere. */
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
    /** The same job, when it waits or runs already. */
    joined: (id: string) => waiting.get(id)?.result ?? null,
    /** Null when too many wait. */
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
