import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect, type Socket } from 'node:net';
import pino from 'pino';
import { systemClock } from '../../../src/system/clock.ts';
import type { Role, WebConfig } from '../../../src/config/schema/web.ts';
import type { Clock } from '../../../src/core/clock.ts';
import { type PageServer, servePage } from '../../../src/web/http-server.ts';
import { loadPage, type PageFiles } from '../../../src/web/page-files.ts';
import { chainPem, type Identity } from '../../../src/demo/lab/identity.ts';
import type { TestFolder } from '../process/test-folder.ts';
import { sourcesOf, webState, type WebState } from './web-sources.ts';

/** A running web server and its state. It is stopped on disposal. */
export interface WebBench extends AsyncDisposable {
  readonly state: WebState;
  readonly files: PageFiles;
  readonly server: PageServer;
  readonly port: number;
  /** Log lines, as one JSON object each. */
  readonly log: readonly string[];
  get(path: string, init?: RequestInit): Promise<Response>;
  status(path: string, init?: RequestInit): Promise<number>;
  text(path: string, init?: RequestInit): Promise<string>;
  json(path: string, init?: RequestInit): Promise<unknown>;
  /** Posts JSON; a string is sent as it is. */
  post(path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>;
}

export interface WebBenchOptions {
  readonly config?: Partial<WebConfig>;
  /** Users that are named after their roles. See {@link loginOf}. */
  readonly users?: readonly Role[];
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
const PASSWORD = 'secret';
/** Of the password, by a cheap scrypt. */
const PASSWORD_HASH = '$scrypt$ln=4,r=8,p=1$SytguzH4JIgTnJ+BzLBdlw$sX7mz0je7vTai4t0v+f/DZPFsrZDO7fN/itqhsUTB38';

/** The login of `account`, for clients other than `get`. */
export const ACCOUNT_LOGIN = { Authorization: `Bearer ${ACCOUNT_TOKEN}` } as const;

export async function startWeb({
  config,
  users = [],
  account,
  state: given,
  env = {},
  clock = systemClock,
}: WebBenchOptions = {}): Promise<WebBench> {
  const state = webState(given);
  const log: string[] = [];
  const logger = pino({ level: 'debug' }, { write: (line: string) => void log.push(line) });
  const served = webConfig(withAccounts(config, users, account));
  const files = await loadPage(served, { clock, logger, env: { ...env, ACCOUNT_TOKEN, PASSWORD_HASH } });
  const server = await servePage(served, files, { sources: sourcesOf(state), clock, logger });
  const { port } = server.address;
  const scheme = config?.tls ? 'https' : 'http';
  const get: WebBench['get'] = (path, init = {}) =>
    fetch(`${scheme}://127.0.0.1:${String(port)}${path}`, { ...init, headers: headersOf(init, account !== undefined) });
  return {
    state,
    files,
    server,
    port,
    log,
    get,
    status: async (path, init) => (await get(path, init)).status,
    text: async (path, init) => (await get(path, init)).text(),
    json: async (path, init) => (await get(path, init)).json(),
    post: (path, body = '', headers = {}) =>
      get(path, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

function withAccounts(
  config: Partial<WebConfig> = {},
  roles: readonly Role[],
  account: string | undefined,
): Partial<WebConfig> {
  const passwordHash = { kind: 'env', name: 'PASSWORD_HASH' } as const;
  const token = { kind: 'env', name: 'ACCOUNT_TOKEN' } as const;
  const users = roles.map((role) => ({ name: role, passwordHash, role }));
  const tokens = account === undefined ? [] : [{ name: account, token, role: 'change' as const }];
  return { ...config, users: [...(config.users ?? []), ...users], tokens: [...(config.tokens ?? []), ...tokens] };
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

/** Returns the login of one of `users`. */
export function loginOf(role: Role): ReturnType<typeof basicAuth> {
  return basicAuth(role, PASSWORD);
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

/** Writes the status page's certificate and key. @param clientCa the PEM of the clients' authorities */
export function tlsFiles(
  folder: TestFolder,
  chain: readonly [Identity, ...Identity[]],
  clientCa: string | null = null,
): NonNullable<WebConfig['tls']> {
  const write = (name: string, pem: string): string => {
    writeFileSync(folder.at(name), pem);
    return folder.at(name);
  };
  return {
    certFile: write('web.pem', chainPem(...chain)),
    keyFile: write('web.key', chain[0].keyPem),
    clientCaFile: clientCa === null ? null : write('clients.pem', clientCa),
    clientCrlFile: null,
  };
}
