import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'undici';

import { deadline } from '../system/clock.ts';
import type { WebConfig } from '../config/schema/web.ts';
import { authority } from '../core/authority.ts';
import type { Millis } from '../core/clock.ts';
import { visibleText } from '../core/visible-text.ts';
import type { Terminal } from './terminal.ts';

/** What the daemon answered; `body` is what its JSON holds, undefined for anything else. */
export interface DaemonAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** Speaks to the daemon of the same configuration, over its web server. */
export interface DaemonClient extends AsyncDisposable {
  /**
   * @throws {Error} saying what to do: it does not run, it is not the one of this configuration, it asks for a password
   */
  ask(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<DaemonAnswer>;
}

const ANSWER_LIMIT: Millis = 10_000;
/** A hundred silences are less. */
const MAX_ANSWER = 256 * 1024;
/** It listens at every address: this machine's own is one of them. */
const ANY: ReadonlyMap<string, string> = new Map([
  ['0.0.0.0', '127.0.0.1'],
  ['::', '::1'],
]);

/**
 * Reads FTM_WATCH_USER and FTM_WATCH_PASSWORD where web.users asks for them.
 * @throws {Error} when the configuration does not tell where the daemon is, or the environment not who asks
 */
export async function createDaemonClient(
  web: WebConfig,
  { clock, env, signal }: Pick<Terminal, 'clock' | 'env' | 'signal'>,
): Promise<DaemonClient> {
  const origin = originOf(web);
  const authorization = authorizationOf(web, env);
  const connect = web.tls === null ? {} : await trustOf(web.tls.certFile);
  const agent = new Agent({ connect, pipelining: 0, maxResponseSize: MAX_ANSWER });

  async function exchange(method: string, path: string, body: object | undefined): Promise<DaemonAnswer> {
    using limit = deadline(clock, ANSWER_LIMIT, signal);
    try {
      const response = await request(`${origin}${path}`, {
        method,
        dispatcher: agent,
        signal: limit.signal,
        headers: {
          accept: 'application/json',
          ...authorization,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        body: body === undefined ? null : JSON.stringify(body),
      });
      return { status: response.statusCode, body: parsed(await response.body.text()) };
    } catch (error) {
      throw new Error(`Cannot ask ftm-watch at ${origin}: ${whyNot(error)}`, { cause: error });
    }
  }

  return {
    ask: async (method, path, body) => {
      const answer = await exchange(method, path, body);
      if (answer.status !== 401) return answer;
      throw new Error(
        `ftm-watch at ${origin} refused the login: expected a user of web.users in FTM_WATCH_USER and ` +
          'FTM_WATCH_PASSWORD',
      );
    },
    [Symbol.asyncDispose]: () => agent.destroy(),
  };
}

function originOf({ listen: { address, port }, tls }: WebConfig): string {
  if (port === 0)
    throw new Error(
      'Cannot tell where ftm-watch listens: web.listen has port 0, which is any free one; expected a fixed port',
    );
  const host = ANY.get(address) ?? address;
  return `${tls === null ? 'http' : 'https'}://${authority({ host, port })}`;
}

function authorizationOf({ users }: WebConfig, env: NodeJS.ProcessEnv): { readonly authorization?: string } {
  if (users.length === 0) return {};
  const { FTM_WATCH_USER: user = '', FTM_WATCH_PASSWORD: password = '' } = env;
  if (user === '' || password === '')
    throw new Error(
      'Cannot log in to ftm-watch: web.users is configured; expected FTM_WATCH_USER and FTM_WATCH_PASSWORD in the ' +
        'environment',
    );
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}` };
}

/** The certificate in the file and no other: the address that is dialled hardly ever stands in it. */
async function trustOf(file: string) {
  const pem = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new Error(`Cannot verify ftm-watch by web.tls.certFile "${file}": ${whyNot(error)}`, { cause: error });
  });
  const { fingerprint256 } = certificateIn(pem, file);
  return {
    ca: pem,
    allowPartialTrustChain: true,
    checkServerIdentity: (_: string, { raw }: { readonly raw: Buffer }) =>
      new X509Certificate(raw).fingerprint256 === fingerprint256
        ? undefined
        : new Error(`it shows another certificate than "${file}": was that changed after ftm-watch had been started?`),
  };
}

function certificateIn(pem: string, file: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new Error(`Cannot verify ftm-watch by web.tls.certFile "${file}": expected a PEM file with its certificate`, {
      cause: error,
    });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const ONE_SPEAKS_TLS = 'does something else listen there, or one of both speak TLS and the other not (web.tls)?';

const WHY: ReadonlyMap<string, string> = new Map([
  [
    'UND_ERR_RES_EXCEEDED_MAX_SIZE',
    `the answer is longer than ${String(MAX_ANSWER)} bytes: something else listens there`,
  ],
  ['ECONNREFUSED', 'nothing listens there: does "ftm-watch run" run, with this configuration?'],
  ['ECONNRESET', `the connection was reset: ${ONE_SPEAKS_TLS}`],
  ['UND_ERR_SOCKET', `the connection was closed: ${ONE_SPEAKS_TLS}`],
  ...['EPROTO', 'ERR_SSL_PACKET_LENGTH_TOO_LONG', 'ERR_SSL_WRONG_VERSION_NUMBER'].map(
    (code) => [code, 'it does not speak TLS: has web.tls been added since it was started?'] as const,
  ),
]);

function whyNot(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return WHY.get(code) ?? visibleText(error.message, 300);
}
