import { realpath } from 'node:fs/promises';
import { Agent, request } from 'undici';

import { deadline } from '../system/clock.ts';
import type { Millis } from '../core/clock.ts';
import { visibleText } from '../core/visible-text.ts';
import type { ControlPlace } from '../runtime/control-place.ts';
import { messageOf } from '../text/message-of.ts';
import type { Terminal } from './terminal.ts';

export interface DaemonAnswer {
  readonly status: number;
  /** As sent. */
  readonly text: string;
}

/** Speaks to a daemon over its socket on this machine (`controlPlace`). */
export interface DaemonClient extends AsyncDisposable {
  /**
   * @throws {NoDaemon} none runs
   * @throws {Error} saying what to do: this user may not
   */
  ask(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<DaemonAnswer>;
}

/** Nothing listens: none runs with this configuration. */
export class NoDaemon extends Error {
  override readonly name = 'NoDaemon';
}

/** A reload lets what is under way finish first. */
const ANSWER_LIMIT: Millis = 30_000;
/**
 * Bytes. Far more than the largest answer of a daemon: a status or a list with hundreds of incidents, each with the
 * commands of its remedy, has several million.
 */
const MAX_ANSWER = 64 * 1024 * 1024;

export async function createDaemonClient(
  { socket }: Pick<ControlPlace, 'socket'>,
  { clock, signal }: Pick<Terminal, 'clock' | 'signal'>,
): Promise<DaemonClient> {
  // A link is short only behind it: what is longer than a socket's name may be is cut off.
  const socketPath = await realpath(socket).catch(() => socket);
  const agent = new Agent({ connect: { socketPath }, pipelining: 0, maxResponseSize: MAX_ANSWER });

  return {
    ask: async (method, path, body) => {
      using limit = deadline(clock, ANSWER_LIMIT, signal);
      try {
        const response = await request(`http://ftm-watch${path}`, {
          method,
          dispatcher: agent,
          signal: limit.signal,
          headers: {
            accept: 'application/json',
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          },
          body: body === undefined ? null : JSON.stringify(body),
        });
        return { status: response.statusCode, text: await response.body.text() };
      } catch (error) {
        const message = `Cannot ask ftm-watch at "${socket}": ${whyNot(error)}`;
        throw isAbsent(error) ? new NoDaemon(message, { cause: error }) : new Error(message, { cause: error });
      }
    },
    [Symbol.asyncDispose]: () => agent.destroy(),
  };
}

const DOES_IT_RUN = 'does "ftm-watch run" run, with this configuration?';

const WHY: ReadonlyMap<string, string> = new Map([
  ['ENOENT', `nothing is there: ${DOES_IT_RUN}`],
  ['ECONNREFUSED', `nothing listens there: ${DOES_IT_RUN}`],
  ['EACCES', 'this user may not: expected root, the user of the daemon, or a member of its group'],
  [
    'UND_ERR_RES_EXCEEDED_MAX_SIZE',
    `the answer is longer than ${String(MAX_ANSWER)} bytes: something else listens there`,
  ],
]);

function isAbsent(error: unknown): boolean {
  return ['ENOENT', 'ECONNREFUSED'].includes(codeOf(error));
}

function whyNot(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  return WHY.get(codeOf(error)) ?? visibleText(messageOf(error), 300);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
