import { isIP, type Socket } from 'node:net';
import { request, type IncomingMessage } from 'node:http';
import { deadline } from '../system/clock.ts';
import type { Millis } from '../core/clock.ts';
import { authority, type HostPort } from '../core/addresses.ts';
import type { ProxyAnswer } from '../core/observation.ts';
import type { SecretReader, SecretSource } from '../system/secret.ts';
import { openSocket } from './connect.ts';
import { type ProbeContext, unlessAborted } from './context.ts';
import { abortError, failureMessage, failureReason, ProbeError } from './failure.ts';
import { getaddrinfo } from './lookup.ts';
import { visibleText } from '../core/visible-text.ts';
import { readableLine } from './tls/handshake.ts';

interface Proxy extends HostPort {
  readonly user: string | null;
  readonly password: SecretSource | null;
}

interface DialOptions {
  readonly target: HostPort;
  /** Ignored if a proxy is configured, because the proxy receives the target's name. */
  readonly address: string;
  readonly proxy: Proxy | null;
  readonly readSecret: SecretReader;
  readonly limit: Millis;
  /** Time limit for the proxy's response to CONNECT. */
  readonly tunnelLimit: Millis;
}

export class TunnelRefused extends ProbeError {
  readonly answer: ProxyAnswer;

  constructor(refusal: ProxyRefusal, page: string | null) {
    super(refusal.reason, refusal.message, { cause: refusal });
    this.answer = { ...refusal.answer, page };
  }
}

/** The page arrives with the response headers or immediately afterwards. */
const PAGE_WAIT: Millis = 500;

/**
 * The caller destroys the socket.
 * @throws an error with a failure reason; for a proxy failure, the message contains the proxy's name
 */
export async function dial(options: DialOptions, ctx: ProbeContext): Promise<Socket> {
  if (options.proxy === null) return dialAddress(options.address, options.target.port, options.limit, ctx);
  return dialThrough(options.proxy, options, ctx);
}

async function dialAddress(address: string, port: number, limit: Millis, ctx: ProbeContext): Promise<Socket> {
  using time = deadline(ctx.clock, limit, ctx.signal);
  const socket = await openSocket({ address, port, sourceAddress: ctx.sourceAddress }, time.signal);
  socket.setNoDelay(true);
  return socket;
}

async function dialThrough(
  proxy: Proxy,
  { target, readSecret, limit, tunnelLimit }: DialOptions,
  ctx: ProbeContext,
): Promise<Socket> {
  const name = authority(proxy);
  const password = proxy.password === null ? '' : await readSecret(proxy.password);
  const socket = await dialProxy(proxy, limit, ctx);
  using time = deadline(ctx.clock, tunnelLimit, ctx.signal);
  try {
    const credentials = proxy.user === null ? null : { user: proxy.user, password };
    await openTunnel(socket, { proxy: name, authority: authority(target), credentials }, time.signal);
    return socket;
  } catch (error) {
    const page = error instanceof ProxyRefusal ? await pageOf(error, socket, ctx) : null;
    socket.destroy();
    if (error instanceof ProxyRefusal) throw new TunnelRefused(error, page);
    const reason = time.signal.aborted ? abortError(time.signal) : error;
    throw new ProbeError(failureReason(reason), proxyMessage(name, reason), { cause: error });
  }
}

async function pageOf(refusal: ProxyRefusal, socket: Socket, ctx: ProbeContext): Promise<string | null> {
  using wait = deadline(ctx.clock, PAGE_WAIT, ctx.signal);
  return await refusal.page(socket, wait.signal);
}

function proxyMessage(name: string, error: unknown): string {
  return error instanceof ProbeError
    ? error.message
    : `The proxy ${name} did not open a tunnel: ${failureMessage(error)}`;
}

async function dialProxy(proxy: Proxy, limit: Millis, ctx: ProbeContext): Promise<Socket> {
  try {
    const address = isIP(proxy.host) === 0 ? await resolveProxy(proxy.host, limit, ctx) : proxy.host;
    return await dialAddress(address, proxy.port, limit, ctx);
  } catch (error) {
    throw new ProbeError(failureReason(error), `Cannot reach the proxy ${authority(proxy)}: ${failureMessage(error)}`, {
      cause: error,
    });
  }
}

/** The lookup cannot be cancelled, so it is abandoned when the time limit is reached. */
async function resolveProxy(host: string, limit: Millis, ctx: ProbeContext): Promise<string> {
  using time = deadline(ctx.clock, limit, ctx.signal);
  const [found] = await unlessAborted(getaddrinfo(host), time.signal);
  if (found === undefined) throw new ProbeError('name-not-resolved', `No address was found for the name "${host}"`);
  return found.address;
}

const MAX_HEADER_BYTES = 16 * 1024;

/** Maximum size of a block page. The limit is large, because the text of a block page follows a long style sheet. */
const MAX_PAGE_BYTES = 16 * 1024;

const MAX_SCHEMES = 5;

interface Tunnel {
  readonly proxy: string;
  /** A name, because FortiAuthenticator also sends a name and proxies filter by name. */
  readonly authority: string;
  readonly credentials: { readonly user: string; readonly password: string } | null;
}

/**
 * Sends CONNECT (RFC 9110 §9.3.6). undici's proxy agent is not used, because it does not provide access to the socket,
 * which is needed to capture the certificate.
 * @throws {ProxyRefusal} when the proxy refuses; the socket's error, or the signal's reason
 */
export function openTunnel(socket: Socket, tunnel: Tunnel, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const connect = request({
      method: 'CONNECT',
      path: tunnel.authority,
      headers: { host: tunnel.authority, ...authorization(tunnel) },
      createConnection: () => socket,
      maxHeaderSize: MAX_HEADER_BYTES,
      signal,
    });
    connect.once('connect', (response: IncomingMessage, _socket: unknown, head: Buffer) => {
      const status = response.statusCode ?? 0;
      if (status >= 200 && status < 300) {
        if (head.length > 0) socket.unshift(head);
        resolve();
        return;
      }
      reject(new ProxyRefusal(tunnel, response, head));
    });
    // This listener is never removed, because node:http emits another error when the socket is finally destroyed.
    connect.on('error', reject);
    connect.once('close', () => {
      reject(new ProbeError('closed', `The proxy ${tunnel.proxy} closed the connection without responding to CONNECT`));
    });
    connect.end();
  });
}

class ProxyRefusal extends ProbeError {
  readonly answer: Omit<ProxyAnswer, 'page'>;
  readonly #head: Buffer;
  /** Length of the error page in bytes; null if the page is chunked or ends when the connection is closed. */
  readonly #length: number | null;
  readonly #isChunked: boolean;
  /** Secrets in the request, which must not appear in messages. */
  readonly #secrets: readonly string[];

  constructor(
    { proxy, authority, credentials }: Tunnel,
    { statusCode: status = 0, headers }: IncomingMessage,
    head: Buffer,
  ) {
    const hasLogin = credentials !== null;
    super(
      'rejected',
      `The proxy ${proxy} responded to CONNECT ${authority} with status ${String(status)}, expected 200` +
        hint(status, hasLogin),
    );
    const offered = [headers['proxy-authenticate'] ?? [], headers['www-authenticate'] ?? []].flat();
    this.answer = { status, schemes: offered.flatMap(schemesIn).slice(0, MAX_SCHEMES), hasLogin };
    this.#head = head;
    this.#secrets = credentials === null ? [] : formsOf(credentials);
    const length = Number(headers['content-length'] ?? Number.NaN);
    this.#length = Number.isInteger(length) ? length : null;
    this.#isChunked = headers['transfer-encoding']?.toLowerCase().includes('chunked') === true;
  }

  /** Returns null if there is no page or if the page contains the password. */
  async page(socket: Socket, signal: AbortSignal): Promise<string | null> {
    const limit = Math.min(this.#length ?? MAX_PAGE_BYTES, MAX_PAGE_BYTES);
    const bytes = await bytesFrom(socket, this.#head, { limit, signal });
    const sent = bytes.toString('latin1');
    const body = this.#isChunked ? sent.replaceAll(CHUNK_SIZE, '') : sent;
    const text = readableLine(body);
    return text === '' || this.#secrets.some((secret) => repeatsAny(body, secret)) ? null : text;
  }
}

/** Minimum length of a match with a secret. Shorter matches can be coincidental. */
const REPEATED = 6;

/** A partial match is sufficient, because the page may be truncated in the middle of the secret. */
function repeatsAny(text: string, secret: string): boolean {
  const length = Math.min(REPEATED, secret.length);
  if (length === 0) return false;
  return Array.from({ length: secret.length - length + 1 }, (_, at) => secret.slice(at, at + length)).some((part) =>
    text.includes(part),
  );
}

/** Returns the forms in which a page could contain the password: as text, as UTF-8 bytes, and as sent in the header. */
function formsOf({ user, password }: NonNullable<Tunnel['credentials']>): readonly string[] {
  const bytes = Buffer.from(password, 'utf8');
  return [password, bytes.toString('latin1'), Buffer.from(`${user}:${password}`, 'utf8').toString('base64')];
}

/** A chunk-size line in a chunked body (RFC 9112 §7.1). */
const CHUNK_SIZE = /(?:^|\r\n)[\da-f]{1,8}(?:;[^\r\n]{0,200})?\r\n/giu;

function bytesFrom(
  socket: Socket,
  head: Buffer,
  { limit, signal }: { readonly limit: number; readonly signal: AbortSignal },
): Promise<Buffer> {
  return new Promise((resolve) => {
    let bytes = head;
    function finish(): void {
      signal.removeEventListener('abort', finish);
      socket.off('data', onData).off('end', finish).off('close', finish);
      resolve(bytes.subarray(0, limit));
    }
    function onData(chunk: Buffer): void {
      bytes = Buffer.concat([bytes, chunk]);
      if (bytes.length >= limit) finish();
    }
    if (bytes.length >= limit || signal.aborted || socket.destroyed) {
      finish();
      return;
    }
    signal.addEventListener('abort', finish, { once: true });
    socket.on('data', onData).on('end', finish).on('close', finish).resume();
  });
}

/** Authentication schemes are the tokens that are not followed by `=` (RFC 9110 §11.6.1). */
function schemesIn(field: string): readonly string[] {
  const bare = field.slice(0, 2_000).replaceAll(/"[^"]*"/gu, '""');
  return [...bare.matchAll(/(?:^|,)\s*([\w-]{1,40})(?=\s*(?:,|$)|\s+[^=\s])/gu)].map(([, name = '']) =>
    visibleText(name, 40),
  );
}

function authorization({ credentials }: Tunnel): Record<string, string> {
  if (credentials === null) return {};
  const token = Buffer.from(`${credentials.user}:${credentials.password}`, 'utf8').toString('base64');
  return { 'proxy-authorization': `Basic ${token}` };
}

function hint(status: number, hasLogin: boolean): string {
  if (status === 407) return hasLogin ? ' (the user name or password is wrong)' : ' (the proxy requires a login)';
  if (status === 403) return ' (an access rule blocks the target)';
  return '';
}
