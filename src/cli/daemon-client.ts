import { lstat, realpath } from 'node:fs/promises';
import { request } from 'node:http';
import * as z from 'zod';
import { deadline, sleep } from '../system/clock.ts';
import type { Millis } from '../core/clock.ts';
import { visibleText } from '../core/visible-text.ts';
import { holderProcess } from '../store/store-lock.ts';
import { abortError, errorCode } from '../network/failure.ts';
import { responseTo } from '../network/http/response-to.ts';
import { messageOf } from '../text/message-of.ts';
import type { Terminal } from './terminal.ts';

export interface DaemonAnswer {
  readonly status: number;
  readonly text: string;
  /** Undefined if the body is not valid JSON. */
  readonly json: unknown;
}

type Method = 'GET' | 'POST' | 'DELETE';

export interface DaemonClient {
  /** @throws {NoDaemon} if no daemon is running, and {Error} with advice if the socket cannot be used */
  ask(method: Method, path: string, body?: object): Promise<DaemonAnswer>;
}

/** Nothing is listening on the socket, so no daemon is running with this configuration. */
export class NoDaemon extends Error {
  override readonly name = 'NoDaemon';
  /** A daemon that stops normally removes its socket, so the daemon was killed or the machine lost power. */
  readonly hasLeftSocket: boolean;

  constructor(message: string, hasLeftSocket: boolean, options: ErrorOptions) {
    super(message, options);
    this.hasLeftSocket = hasLeftSocket;
  }
}

export interface DaemonPlace {
  readonly socket: string;
  /** Null if the configuration cannot be read. */
  readonly storePath: string | null;
}

/** A running daemon answers within milliseconds. */
const ANSWER_LIMIT: Millis = 5_000;
/** A reload closes the socket for a moment. A change is then sent again, because its user expects a running daemon. */
const RELOADED_WITHIN: Millis = 1_000;
/** In bytes. A list of hundreds of incidents with their remedy commands takes up several million bytes. */
const MAX_ANSWER = 64 * 1024 * 1024;

export async function createDaemonClient(
  { socket, storePath }: DaemonPlace,
  { clock, signal }: Pick<Terminal, 'clock' | 'signal'>,
  answerLimit = ANSWER_LIMIT,
): Promise<DaemonClient> {
  // Node truncates socket paths of more than 107 bytes. If the path next to the store is a link, its target is used,
  // because the target's path is short.
  const socketPath = await realpath(socket).catch(() => socket);

  async function send(method: Method, path: string, body: object | undefined): Promise<DaemonAnswer> {
    using limit = deadline(clock, answerLimit, signal);
    try {
      const headers = {
        // Without this header, node:http names the host "localhost:80".
        host: 'ftm-watch',
        connection: 'close',
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      };
      const sent = request({ socketPath, method, path, headers, agent: false, signal: limit.signal });
      const response = await responseTo(sent, body === undefined ? undefined : JSON.stringify(body));
      const text = await wholeText(response);
      // For node:http, a response without a length also ends when the signal closes the connection.
      limit.signal.throwIfAborted();
      return { status: response.statusCode ?? 0, text, json: parsedJson(text) };
    } catch (error) {
      if (limit.expired() || errorCode(error) === BACKLOG_FULL) throw new Error(noAnswer(storePath), { cause: error });
      throw await connectFailure(socket, signal.aborted ? abortError(signal) : error);
    }
  }

  return {
    ask: async (method, path, body) => {
      try {
        return await send(method, path, body);
      } catch (error) {
        if (method === 'GET' || !(error instanceof NoDaemon)) throw error;
        await sleep(clock, RELOADED_WITHIN, signal);
        return send(method, path, body);
      }
    },
  };
}

/** @throws {Error} if the answer is too long or incomplete */
async function wholeText(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MAX_ANSWER)
      throw new Error(
        `the answer is longer than ${String(MAX_ANSWER)} bytes; the socket may belong to another program`,
      );
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const WHY: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'the socket does not exist; check that "ftm-watch run" is running with this configuration'],
  ['EACCES', "permission denied; run this command as root, as the daemon's user, or as a member of that user's group"],
]);

/** The kernel accepts connections for a suspended process until the socket's backlog is full (unix(7)). */
const BACKLOG_FULL = 'EAGAIN';

function noAnswer(storePath: string | null): string {
  const holder = storePath === null ? null : holderProcess(storePath);
  const who = holder === null ? '' : ` (process ${String(holder)})`;
  return `ftm-watch${who} does not answer; it may be suspended`;
}

async function connectFailure(socket: string, error: unknown): Promise<Error> {
  const cause = { cause: error };
  const message = `Cannot connect to ftm-watch at "${socket}": ${whyNot(error)}`;
  const code = errorCode(error);
  // systemd deletes a killed daemon's socket, but not the link to it.
  if (code === 'ECONNREFUSED' || (code === 'ENOENT' && (await exists(socket))))
    return new NoDaemon(notRunning(socket), true, cause);
  return code === 'ENOENT' ? new NoDaemon(message, false, cause) : new Error(message, cause);
}

function notRunning(socket: string): string {
  return (
    `ftm-watch is not running, but did not stop normally: it left the socket "${socket}". Start ftm-watch, or delete ` +
    'this file if it should not run on this machine'
  );
}

function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

function whyNot(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  return WHY.get(errorCode(error) ?? '') ?? visibleText(messageOf(error), 300);
}

/** What the daemon answers to a request that it rejects. */
export const problemShape = z.object({ error: z.string(), problems: z.array(z.string()).default([]) });

/** One line for each reason why the daemon rejected a request. */
export function problemOf({ status, json, text }: DaemonAnswer): string {
  const problem = problemShape.safeParse(json);
  if (!problem.success) return isReason(status, text) ? visibleText(text.trimEnd(), 1_000) : unexpected(status);
  const { error, problems } = problem.data;
  return [error, ...problems.map((line) => `- ${line}`)].map((line) => visibleText(line, 1_000)).join('\n');
}

/** An earlier daemon answers 404 or 405 to requests that it does not support. The daemon's errors are never HTML. */
function isReason(status: number, text: string): boolean {
  return status >= 400 && status !== 404 && status !== 405 && /^[^<]/u.test(text);
}

/** @throws {Error} if the daemon is of another version */
export function read<T>(shape: z.ZodType<T>, { status, json }: DaemonAnswer): T {
  const parsed = shape.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new Error(unexpected(status));
}

function unexpected(status: number): string {
  return (
    `Unexpected answer from the daemon (HTTP ${String(status)}): ` +
    'check that the daemon is the same version as this command'
  );
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
