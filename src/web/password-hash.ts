import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import type { BcryptJob } from './bcrypt-thread.ts';

/** A password as it is stored. */
export type PasswordHash = ScryptHash | BcryptHash;

/**
 * Takes a hash apart.
 * @throws {RangeError} saying what is wrong with it, never with a part of it
 */
export function parsePasswordHash(text: string): PasswordHash {
  const line = text.trim();
  const parsed = parseScryptHash(line) ?? parseBcryptHash(line);
  if (parsed !== null) return parsed;
  throw new RangeError(
    `${unreadable(line)}: expected "$scrypt$ln=…,r=…,p=…$salt$hash" or "$2b$12$…", of a single password; make ` +
      'one as docs/web.md says',
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

/** What `htpasswd -n` prints has the name before the hash. */
function unreadable(line: string): string {
  return /^[^:$]*:\$/u.test(line)
    ? 'Cannot read the password hash with a name before it'
    : 'Cannot read the password hash';
}

/** bcrypt, as `htpasswd -B` and most libraries write it. */
export interface BcryptHash {
  readonly kind: 'bcrypt';
  /** The whole of it, with version, cost and salt. */
  readonly text: string;
}

const BCRYPT = /^\$2[aby]\$(?<cost>\d\d)\$[./A-Za-z0-9]{53}$/u;
/** The least that the algorithm takes. */
const MIN_COST = 4;
/** More than a second of a processor; each step more doubles it. */
const MAX_COST = 14;
/** bcrypt looks at no more of a password. */
const MAX_PASSWORD_BYTES = 72;

/** Compiled, this file and its thread end in `.js`. */
const THREAD: URL = new URL(`./bcrypt-thread${extname(import.meta.filename)}`, import.meta.url);

/**
 * Takes a hash apart; null for another kind of text.
 * @throws {RangeError} when it costs too much
 */
function parseBcryptHash(text: string): BcryptHash | null {
  const { cost } = BCRYPT.exec(text)?.groups ?? {};
  if (cost === undefined) return null;
  if (Number(cost) >= MIN_COST && Number(cost) <= MAX_COST) return { kind: 'bcrypt', text };
  throw new RangeError(
    `Cannot use the password hash: expected a bcrypt cost of ${String(MIN_COST)} to ${String(MAX_COST)}, got ` +
      `${cost}; make one with "htpasswd -nB -C 12 NAME"`,
  );
}

/**
 * Takes the same time for every wrong password. Those of more than 72 bytes are wrong: bcrypt would not see the rest of
 * them.
 *
 * In a thread of its own, since it is computed in JavaScript: even the asynchronous form of the library keeps the event
 * loop for 100 ms at a time, in which no probe would see its answer come.
 */
export async function verifyBcrypt(password: string, { text }: BcryptHash): Promise<boolean> {
  const normalized = password.normalize('NFC');
  const matches = await compareInThread({ password: normalized, hash: text });
  return matches && Buffer.byteLength(normalized) <= MAX_PASSWORD_BYTES;
}

function compareInThread(job: BcryptJob): Promise<boolean> {
  // Neither the daemon's options nor its environment, where secrets may be, are any of the thread's business.
  const worker = new Worker(THREAD, { workerData: job, env: {}, execArgv: [] });
  return new Promise((resolve, reject) => {
    worker.once('message', (matches: unknown) => resolve(matches === true));
    worker.on('error', reject);
    worker.once('exit', (code) =>
      reject(new Error(`Cannot check a bcrypt password hash: its thread ended with code ${String(code)}`)),
    );
  });
}

/** scrypt (RFC 7914) with what it was made with. */
export interface ScryptHash {
  readonly kind: 'scrypt';
  /** Binary logarithm of the cost: memory is `128 * r * 2^ln` bytes. */
  readonly ln: number;
  readonly r: number;
  readonly p: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

type Cost = Pick<ScryptHash, 'ln' | 'r' | 'p'>;

/**
 * 32 MiB and about a quarter of a second: one of the equally strong settings of OWASP's password storage cheat sheet.
 */
const DEFAULT_COST: Cost = { ln: 15, r: 8, p: 3 };

/** A hash that costs more memory than this would let anyone who asks for the page exhaust the daemon. */
const MAX_MEMORY = 256 * 1024 * 1024;
const MAX_PARALLEL = 16;
const SALT_BYTES = 16;
const HASH_BYTES = 32;

/** PHC string format: `$scrypt$ln=15,r=8,p=1$<salt>$<hash>`, base64 without padding. */
const PHC =
  /^\$scrypt\$ln=(?<ln>\d{1,2}),r=(?<r>\d{1,3}),p=(?<p>\d{1,3})\$(?<salt>[A-Za-z0-9+/]{11,128})\$(?<hash>[A-Za-z0-9+/]{22,128})$/u;

/**
 * Takes a hash apart; null for another kind of text.
 * @throws {RangeError} when it costs too much
 */
export function parseScryptHash(text: string): ScryptHash | null {
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

/** Makes the line that a `passwordHashFile` holds, with a salt of its own. */
export async function hashPassword(password: string, cost: Cost = DEFAULT_COST): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(password, { ...cost, salt, hash: Buffer.alloc(HASH_BYTES) });
  return `$scrypt$${costText(cost)}$${unpadded(salt)}$${unpadded(hash)}`;
}

/** Takes the same time for every wrong password. */
export async function verifyScrypt(password: string, expected: ScryptHash): Promise<boolean> {
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
    // Unicode has several ways to write one letter, and keyboards differ in which they give (RFC 8265 §4.2.1).
    scrypt(password.normalize('NFC'), salt, hash.length, options, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

/** As OpenSSL counts it: the table, and one block for each of the `p` lanes. */
function memoryOf({ ln, r, p }: Cost): number {
  return 128 * r * (2 ** ln + p);
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/u, '');
}
