import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { BcryptJob } from './bcrypt-thread.ts';

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
export function parseBcryptHash(text: string): BcryptHash | null {
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
