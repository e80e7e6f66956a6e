import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import type { BcryptJob } from './bcrypt-thread.ts';

export type PasswordHash = ScryptHash | BcryptHash;

/** @throws {RangeError} with the reason, without any part of the hash */
export function parsePasswordHash(text: string): PasswordHash {
  const line = text.trim();
  const parsed = parseScryptHash(line) ?? parseBcryptHash(line);
  if (parsed !== null) return parsed;
  throw new RangeError(
    `${unreadable(line)}: expected "$scrypt$ln=…,r=…,p=…$salt$hash" or "$2b$12$…" for a single password. Create ` +
      'a hash as described in docs/web.md',
  );
}

/** Takes the same time for every wrong password. */
export function verifyPassword(password: string, expected: PasswordHash): Promise<boolean> {
  switch (expected.kind) {
    case 'scrypt':
      return verifyScrypt(password, expected);
    case 'bcrypt':
      return verifyBcrypt(password, expected);
  }
}

/** `htpasswd -n` prints the user name before the hash. */
function unreadable(line: string): string {
  return /^[^:$]*:\$/u.test(line)
    ? 'Cannot read the password hash, because it is preceded by a name'
    : 'Cannot read the password hash';
}

/** As created by `htpasswd -B` and most libraries. */
interface BcryptHash {
  readonly kind: 'bcrypt';
  readonly text: string;
}

const BCRYPT = /^\$2[aby]\$(?<cost>\d\d)\$[./A-Za-z0-9]{53}$/u;
const MIN_COST = 4;
/** At this cost, a check takes more than one second of CPU time, and each increment doubles the time. */
const MAX_COST = 14;
/** bcrypt ignores all further bytes. */
const MAX_PASSWORD_BYTES = 72;

/** Compiled files end in `.js`. */
const THREAD: URL = new URL(`./bcrypt-thread${extname(import.meta.filename)}`, import.meta.url);

/** @throws {RangeError} if the cost is too high */
function parseBcryptHash(text: string): BcryptHash | null {
  const { cost } = BCRYPT.exec(text)?.groups ?? {};
  if (cost === undefined) return null;
  if (Number(cost) >= MIN_COST && Number(cost) <= MAX_COST) return { kind: 'bcrypt', text };
  throw new RangeError(
    `Cannot use the password hash: expected a bcrypt cost of ${String(MIN_COST)} to ${String(MAX_COST)}, got ` +
      `${cost}. Create a hash with "htpasswd -nB -C 12 NAME"`,
  );
}

/**
 * Passwords longer than 72 bytes are rejected, because bcrypt ignores the rest. The check runs in a separate thread,
 * because even the asynchronous functions of the JavaScript library block the event loop for 100 ms at a time.
 */
async function verifyBcrypt(password: string, { text }: BcryptHash): Promise<boolean> {
  const normalized = password.normalize('NFC');
  const matches = await compareInThread({ password: normalized, hash: text });
  return matches && Buffer.byteLength(normalized) <= MAX_PASSWORD_BYTES;
}

function compareInThread(job: BcryptJob): Promise<boolean> {
  // The daemon's options and environment are not passed on, because the environment can contain secrets.
  const worker = new Worker(THREAD, { workerData: job, env: {}, execArgv: [] });
  return new Promise((resolve, reject) => {
    worker.once('message', (matches: unknown) => resolve(matches === true));
    worker.on('error', reject);
    worker.once('exit', (code) =>
      reject(new Error(`Cannot check a bcrypt password hash: the thread ended with code ${String(code)}`)),
    );
  });
}

/** RFC 7914 */
interface ScryptHash {
  readonly kind: 'scrypt';
  /** The base-2 logarithm of the cost. A check uses `128 * r * 2^ln` bytes. */
  readonly ln: number;
  readonly r: number;
  readonly p: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

type Cost = Pick<ScryptHash, 'ln' | 'r' | 'p'>;

/**
 * One of the equally strong settings in OWASP's password storage cheat sheet. A check takes 32 MiB and about 250 ms.
 */
const DEFAULT_COST: Cost = { ln: 15, r: 8, p: 3 };

/** Any visitor who tries to log in can make the daemon use this much memory. */
const MAX_MEMORY = 256 * 1024 * 1024;
const MAX_PARALLEL = 16;
const SALT_BYTES = 16;
const HASH_BYTES = 32;

/** The PHC string format `$scrypt$ln=15,r=8,p=1$<salt>$<hash>` with base64 without padding. */
const PHC =
  /^\$scrypt\$ln=(?<ln>\d{1,2}),r=(?<r>\d{1,3}),p=(?<p>\d{1,3})\$(?<salt>[A-Za-z0-9+/]{11,128})\$(?<hash>[A-Za-z0-9+/]{22,128})$/u;

/** @throws {RangeError} if the cost is too high */
function parseScryptHash(text: string): ScryptHash | null {
  const { ln, r, p, salt, hash } = PHC.exec(text)?.groups ?? {};
  if (salt === undefined || hash === undefined) return null;
  const cost = { ln: Number(ln), r: Number(r), p: Number(p) };
  if (isAffordable(cost))
    return { kind: 'scrypt', ...cost, salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64') };
  throw new RangeError(
    `Cannot use the password hash: expected a cost of 1 to ${String(MAX_MEMORY / 1024 / 1024)} MiB and p of 1 to ` +
      `${String(MAX_PARALLEL)}, got ${costText(cost)}`,
  );
}

/** Returns the line for a `passwordHashFile`. */
export async function hashPassword(password: string, cost: Cost = DEFAULT_COST): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(password, { ...cost, salt, hash: Buffer.alloc(HASH_BYTES) });
  return `$scrypt$${costText(cost)}$${unpadded(salt)}$${unpadded(hash)}`;
}

async function verifyScrypt(password: string, expected: ScryptHash): Promise<boolean> {
  return timingSafeEqual(await derive(password, expected), expected.hash);
}

function isAffordable(cost: Cost): boolean {
  return Math.min(cost.ln, cost.r, cost.p) > 0 && memoryOf(cost) <= MAX_MEMORY && cost.p <= MAX_PARALLEL;
}

function costText({ ln, r, p }: Cost): string {
  return `ln=${String(ln)},r=${String(r)},p=${String(p)}`;
}

function derive(password: string, { ln, r, p, salt, hash }: Omit<ScryptHash, 'kind'>): Promise<Buffer> {
  const options = { N: 2 ** ln, r, p, maxmem: MAX_MEMORY + 1024 * 1024 };
  return new Promise((resolve, reject) => {
    // Unicode can encode a letter in several ways, and keyboards differ (RFC 8265 §4.2.1).
    scrypt(password.normalize('NFC'), salt, hash.length, options, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

/** As calculated by OpenSSL: the size of the table plus one block for each of the `p` lanes. */
function memoryOf({ ln, r, p }: Cost): number {
  return 128 * r * (2 ** ln + p);
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/u, '');
}
