import { once } from 'node:events';
import { request } from 'node:https';
import { connect, type Socket } from 'node:net';
import pino from 'pino';
import { systemClock } from '../../../src/system/clock.ts';
import type { WebConfig } from '../../../src/config/schema/web.ts';
import type { Clock } from '../../../src/core/clock.ts';
import { createWebServer, type WebServer } from '../../../src/web/http-server.ts';
import { sourcesOf, webState, type WebState } from './web-sources.ts';

/** A running web server and its state. It is stopped on disposal. */
export interface WebBench extends AsyncDisposable {
  readonly state: WebState;
  readonly server: WebServer;
  readonly port: number;
  /** Log lines, as one JSON object each. */
  readonly log: readonly string[];
  get(path: string, init?: RequestInit): Promise<Response>;
}

export interface WebBenchOptions {
  readonly config?: Partial<WebConfig>;
  /** Name of an account that can make every change. `get` uses it unless given another login. */
  readonly account?: string;
  readonly state?: Partial<WebState>;
  readonly env?: NodeJS.ProcessEnv;
  readonly clock?: Clock;
}

export function webConfig(more: Partial<WebConfig> = {}): WebConfig {
  return {
    listen: { address: '127.0.0.1', port: 0 },
    publicUrl: null,
    tls: null,
    users: [],
    tokens: [],
    certificates: [],
    proxy: null,
    anonymous: null,
    plaintext: false,
    localReload: false,
    hosts: [],
    probeTargets: [],
    ...more,
  };
}

const ACCOUNT_TOKEN = 'of-the-bench';

/** The login of `account`, for clients other than `get`. */
export const ACCOUNT_LOGIN = { Authorization: `Bearer ${ACCOUNT_TOKEN}` } as const;

export async function startWeb({
  config,
  account,
  state: given,
  env = {},
  clock = systemClock,
}: WebBenchOptions = {}): Promise<WebBench> {
  const state = webState(given);
  const log: string[] = [];
  const logger = pino({ level: 'debug' }, { write: (line: string) => void log.push(line) });
  const server = createWebServer(webConfig(withAccount(config, account)), {
    sources: sourcesOf(state),
    clock,
    logger,
    env: { ...env, ACCOUNT_TOKEN },
  });
  const { port } = await server.start();
  const scheme = config?.tls ? 'https' : 'http';
  return {
    state,
    server,
    port,
    log,
    get: (path, init = {}) =>
      fetch(`${scheme}://127.0.0.1:${String(port)}${path}`, {
        ...init,
        headers: headersOf(init, account !== undefined),
      }),
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

function withAccount(config: Partial<WebConfig> = {}, account?: string): Partial<WebConfig> {
  const token = { kind: 'env', name: 'ACCOUNT_TOKEN' } as const;
  const own = account === undefined ? [] : [{ name: account, token, role: 'change' as const }];
  return { ...config, tokens: [...(config.tokens ?? []), ...own] };
}

function headersOf({ headers }: RequestInit, hasAccount: boolean): Headers {
  const all = new Headers(headers);
  if (hasAccount && !all.has('Authorization')) all.set('Authorization', ACCOUNT_LOGIN.Authorization);
  return all;
}

/** A plain connection, for sending data that an HTTP client would not send. */
export interface RawClient extends Disposable {
  readonly socket: Socket;
  /** Data received so far. */
  readonly received: string;
  /** Resolves when `text` has been received. */
  until(text: string): Promise<string>;
  /** Resolves when the other side has closed. */
  readonly closed: Promise<void>;
}

export async function dial(port: number, firstBytes = '', localAddress = '127.0.0.1'): Promise<RawClient> {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  let received = '';
  const closed = new Promise<void>((resolve) => void socket.once('close', () => resolve()));
  socket.on('error', () => {});
  socket.setEncoding('utf8').on('data', (part: string) => {
    received += part;
  });
  await once(socket, 'connect');
  socket.write(firstBytes);
  return {
    socket,
    closed,
    get received(): string {
      return received;
    },
    async until(text) {
      while (!received.includes(text)) await once(socket, 'data');
      return received;
    },
    [Symbol.dispose]: () => socket.destroy(),
  };
}

export function basicAuth(name: string, password: string): { readonly headers: { readonly Authorization: string } } {
  return { headers: { Authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}` } };
}

/** Sends a GET request over TLS, trusting one authority. */
export async function getOverTls(
  port: number,
  ca: string,
  servername: string,
): Promise<{ readonly status: number | undefined; readonly headers: object }> {
  const sent = request({ host: '127.0.0.1', port, ca, servername, path: '/' });
  sent.end();
  const [response] = await once(sent, 'response');
  response.resume();
  await once(response, 'end');
  return { status: response.statusCode, headers: response.headers };
}
