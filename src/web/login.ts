import { createHmac, randomBytes } from 'node:crypto';
import type { WebConfig } from '../config/config.ts';
// oxlint-disable-next-line no-restricted-imports -- reads a file or a variable, no part of the configuration
import { readSecret } from '../config/secret.ts';
import type { Clock, Millis } from '../core/clock.ts';
import { parsePasswordHash, type PasswordHash, verifyPassword } from './password-hash.ts';

/** Answers who may come in. `busy`: too many wait for an answer already. */
export interface Login {
  check(name: string, password: string): Promise<'accepted' | 'refused' | 'busy'>;
}

/** The hash is meant to be slow, and a page asks several times in a row: a password that was right stays right for so long. */
const REMEMBERED: Millis = 60_000;
const MAX_REMEMBERED = 1_000;
/** One at a time: each costs as much memory and a thread of those that name resolution needs too. More than these do not wait. */
const MAX_WAITING = 8;

/**
 * Hash files are read at each check, so that a changed password counts at once.
 * @throws {Error} when a user's hash cannot be read or understood, naming the user
 */
export async function createLogin(users: WebConfig['users'], clock: Clock, env: NodeJS.ProcessEnv): Promise<Login> {
  await Promise.all(users.map((user) => readHash(user, env)));
  const accepted = createAcceptedLogins(clock);
  const queue = createQueue();
  const userOf = createUserLookup(users);

  async function check(name: string, password: string): Promise<'accepted' | 'refused' | 'busy'> {
    const { user, known } = userOf(name);
    const hash = await readHash(user, env);
    const login = accepted.keyOf([name, password, hash]);
    if (accepted.has(login)) return 'accepted';
    const verified = queue(login, () => verifyPassword(password, hash));
    if (verified === null) return 'busy';
    if (!(await verified) || !known) return 'refused';
    accepted.add(login);
    return 'accepted';
  }

  return { check };
}

/** Why users could not log in, one sentence a user. */
export async function loginProblems(users: WebConfig['users'], env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const read = await Promise.allSettled(users.map((user) => readHash(user, env)));
  return read.flatMap((outcome) => (outcome.status === 'rejected' ? [messageOf(outcome.reason)] : []));
}

type User = WebConfig['users'][number];

/**
 * For a name that nobody has, a user in whose place the password is checked, always the same for a name: so the time an answer takes does not
 * tell who is known, even when the hashes of the users differ in kind and cost.
 */
function createUserLookup(users: readonly User[]): (name: string) => { readonly user: User; readonly known: boolean } {
  const key = randomBytes(32);
  const byName: ReadonlyMap<string, User> = new Map(users.map((user) => [user.name, user]));
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

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown error';
}

interface AcceptedLogins {
  keyOf(parts: readonly unknown[]): string;
  has(key: string): boolean;
  add(key: string): void;
}

/** Remembers logins under a keyed digest: the passwords themselves are kept nowhere. */
function createAcceptedLogins(clock: Clock): AcceptedLogins {
  const key = randomBytes(32);
  const until = new Map<string, Millis>();
  return {
    keyOf: (parts) => createHmac('sha256', key).update(JSON.stringify(parts)).digest('base64'),
    has: (login) => (until.get(login) ?? 0) > clock.elapsed(),
    add(login) {
      until.delete(login);
      until.set(login, clock.elapsed() + REMEMBERED);
      const [oldest] = until.keys();
      if (until.size > MAX_REMEMBERED && oldest !== undefined) until.delete(oldest);
    },
  };
}

/** Runs one job after the other; the same job is joined, not run twice. Null when too many wait. */
function createQueue(): (id: string, job: () => Promise<boolean>) => Promise<boolean> | null {
  const waiting = new Map<string, Promise<boolean>>();
  let last: Promise<unknown> = Promise.resolve();
  return (id, job) => {
    const same = waiting.get(id);
    if (same !== undefined) return same;
    if (waiting.size >= MAX_WAITING) return null;
    const result = last.then(job).finally(() => waiting.delete(id));
    waiting.set(id, result);
    last = result.catch(() => undefined);
    return result;
  };
}
