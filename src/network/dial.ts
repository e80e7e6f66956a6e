import type { Socket } from 'node:net';
import { request, type IncomingMessage } from 'node:http';
import { deadline } from '../system/clock.ts';
import type { Millis } from '../core/clock.ts';
import { authority, type HostPort } from '../core/addresses.ts';
import type { ProxyAnswer } from '../core/observation.ts';
import type { SecretReader, SecretSource } from '../system/secret.ts';
import { openSocket } from './connect.ts';
import type { ProbeContext } from './context.ts';
import { abortError, failureMessage, failureReason, ProbeError } from './failure.ts';
import { locate, type SystemLookup } from './lookup.ts';
import { visibleText } from '../core/visible-text.ts';
import { readableText } from './tls/handshake.ts';
import { Wire } from './wire.ts';

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
  /** Resolves the proxy's name. */
  readonly system: SystemLookup;
  readonly limit: Millis;
  /** Time limit for the proxy's response to CONNECT. */
  readonly tunnelLimit: Millis;
}

/** Error for a proxy that responded to CONNECT without opening a tunnel. */
export class TunnelRefused extends ProbeError {
  readonly answer: ProxyAnswer;

  constructor(message: string, answer: ProxyAnswer) {
    super('rejected', message);
    this.answer = answer;
  }
}

/** The page arrives with the response headers or immediately afterwards. */
const PAGE_WAIT: Millis = 500;

/**
 * The caller destroys the socket.
 * @throws an error with a failure reason; for a proxy failure, the message contains the proxy's name
 */
export async function dial(options: DialOptions, ctx: ProbeContext): Promise<Socket> {
  const { proxy, address, target, limit } = options;
  if (proxy !== null) return dialThrough(proxy, options, ctx);
  using time = deadline(ctx.clock, limit, ctx.signal);
  return await openSocket({ address, port: target.port, sourceAddress: ctx.sourceAddress }, time.signal);
}

async function dialThrough(
  proxy: Proxy,
  { target, readSecret, system, limit, tunnelLimit }: DialOptions,
  ctx: ProbeContext,
): Promise<Socket> {
  const name = authority(proxy);
  const password = proxy.password === null ? '' : await readSecret(proxy.password);
  const socket = await dialProxy(proxy, system, limit, ctx);
  using time = deadline(ctx.clock, tunnelLimit, ctx.signal);
  try {
    const credentials = proxy.user === null ? null : { user: proxy.user, password };
    const tunnel = { proxy: name, authority: authority(target), credentials };
    const refusal = await openTunnel(socket, tunnel, time.signal);
    if (refusal === null) return socket;
    throw await refused(refusal, tunnel, socket, ctx);
  } catch (error) {
    socket.destroy();
    if (error instanceof TunnelRefused) throw error;
    const reason = time.signal.aborted ? abortError(time.signal) : error;
    const message =
      reason instanceof ProbeError
        ? reason.message
        : `The proxy ${name} did not open a tunnel: ${failureMessage(reason)}`;
    throw new ProbeError(failureReason(reason), message, { cause: error });
  }
}

async function dialProxy(proxy: Proxy, system: SystemLookup, limit: Millis, ctx: ProbeContext): Promise<Socket> {
  using time = deadline(ctx.clock, limit, ctx.signal);
  try {
    const at = await locate({ ...proxy, sourceAddress: ctx.sourceAddress }, system, time.signal);
    return await openSocket(at, time.signal);
  } catch (error) {
    throw new ProbeError(failureReason(error), `Cannot reach the proxy ${authority(proxy)}: ${failureMessage(error)}`, {
      cause: error,
    });
  }
}

const MAX_HEADER_BYTES = 16 * 1024;

/** Maximum size of a block page. The limit is large, because the text of a block page follows a long style sheet. */
const MAX_PAGE_BYTES = 16 * 1024;

const MAX_SCHEMES = 5;

interface Tunnel {
  readonly proxy: string;
  /**
   * Contains the name instead of an address, because FortiAuthenticator also sends the name and proxies filter by name.
   */
  readonly authority: string;
  readonly credentials: { readonly user: string; readonly password: string } | null;
}

interface Refusal {
  readonly response: IncomingMessage;
  /** The part of the error page that arrived together with the response headers. */
  readonly head: Buffer;
}

/**
 * Sends CONNECT (RFC 9110 §9.3.6). undici's proxy agent is not used, because it does not provide access to the socket,
 * which is needed to capture the certificate.
 * @returns null if the tunnel is open
 * @throws the socket's error, or the signal's reason
 */
function openTunnel(socket: Socket, tunnel: Tunnel, signal: AbortSignal): Promise<Refusal | null> {
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
      const { statusCode: status = 0 } = response;
      const isAccepted = status >= 200 && status < 300;
      if (isAccepted && head.length > 0) socket.unshift(head);
      resolve(isAccepted ? null : { response, head });
    });
    // This listener is never removed, because node:http emits another error when the socket is finally destroyed.
    connect.on('error', reject);
    connect.once('close', () => {
      reject(new ProbeError('closed', `The proxy ${tunnel.proxy} closed the connection without responding to CONNECT`));
    });
    connect.end();
  });
}

async function refused(refusal: Refusal, tunnel: Tunnel, socket: Socket, ctx: ProbeContext): Promise<TunnelRefused> {
  const { statusCode: status = 0, headers } = refusal.response;
  const hasLogin = tunnel.credentials !== null;
  const offered = [headers['proxy-authenticate'] ?? [], headers['www-authenticate'] ?? []].flat();
  const schemes = offered.flatMap(schemesIn).slice(0, MAX_SCHEMES);
  return new TunnelRefused(
    `The proxy ${tunnel.proxy} responded to CONNECT ${tunnel.authority} with status ${String(status)}, expected 200` +
      hint(status, hasLogin),
    { status, schemes, hasLogin, page: await pageOf(refusal, tunnel, socket, ctx) },
  );
}

/** Returns null if there is no page or if the page contains the password. */
async function pageOf(
  { response: { headers }, head }: Refusal,
  { credentials }: Tunnel,
  socket: Socket,
  ctx: ProbeContext,
): Promise<string | null> {
  using wait = deadline(ctx.clock, PAGE_WAIT, ctx.signal);
  const length = Number(headers['content-length'] ?? Number.NaN);
  const limit = Number.isInteger(length) ? Math.min(length, MAX_PAGE_BYTES) : MAX_PAGE_BYTES;
  const rest = await new Wire(socket, wait.signal).readUpTo(limit - head.length);
  const sent = Buffer.concat([head, rest]).toString('latin1', 0, limit);
  const isChunked = headers['transfer-encoding']?.toLowerCase().includes('chunked') === true;
  const body = isChunked ? sent.replaceAll(CHUNK_SIZE, '') : sent;
  const text = readableText(Buffer.from(body, 'latin1'));
  const secrets = credentials === null ? [] : formsOf(credentials);
  return text === '' || secrets.some((secret) => repeatsAny(body, secret)) ? null : text;
}

/** Minimum length of a match with a secret. Shorter matches could be coincidental. */
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
