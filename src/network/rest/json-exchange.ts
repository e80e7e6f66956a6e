import { checkServerIdentity, TLSSocket, type PeerCertificate } from 'node:tls';
import type { Dispatcher, Agent, buildConnector } from 'undici';
import { deadline } from '../../system/clock.ts';
import type { Clock, Millis } from '../../core/clock.ts';
import { ProbeError, certificateFault, failureFrom } from '../failure.ts';
import { parseHttpDate, retryAfterOf } from '../http/request.ts';
import { parseCertificate } from '../../tls/parse-certificate.ts';
import { createSecretFilter } from '../../core/visible-text.ts';
import type { ApiFailure, Failure } from '../../core/observation.ts';
import { getaddrinfoForSockets } from '../lookup.ts';
import { readAuthorities } from '../tls/secure-context.ts';
import { readSecret, type SecretSource } from '../../system/secret.ts';

type JsonRequest = RequestHead & ({ readonly method: 'GET' } | { readonly method: 'POST'; readonly body: string });

interface RequestHead {
  readonly path: string;
  /** Status of a response that contains the result. @default 200 */
  readonly success?: 200 | 202;
  readonly headers: Readonly<Record<string, string>>;
  /** Removes the request's secrets from parts of the response that are shown to users. */
  readonly withoutSecrets: (text: string) => string;
  /** Returns an error if the beginning of a response that is not JSON explains why the request is refused. */
  readonly refusalIn?: (text: string) => Error | null;
}

/** The caller must interpret the status code. */
export type JsonReply = (
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter: Millis | null }
) & {
  readonly serverTime: ServerTime | null;
};

export interface ServerTime {
  /** The server's time minus the local time. */
  readonly offsetMs: Millis;
  /** Half of the round-trip time plus half a second, because the `Date` header is truncated to seconds. */
  readonly precisionMs: Millis;
}

/** On average, the actual time is half a second after the truncated `Date` header (RFC 9110 §5.6.7). */
const HALF_SECOND: Millis = 500;

type ExchangeContext = Pick<ConnectorContext, 'clock' | 'signal' | 'ownTurn' | 'answerLimit'>;

/** Time limit from the start of the connection to the last byte of the body. A slow peer cannot extend this limit. */
const ANSWER_LIMIT: Millis = 10_000;

/**
 * Does not follow redirects or retry.
 * @throws the error from Node or undici, `ProbeError` for a response that is not JSON, `DeadlineError` after the limit
 */
export async function exchangeJson(
  agent: Dispatcher,
  origin: string,
  request: JsonRequest,
  context: ExchangeContext,
): Promise<JsonReply> {
  using limit = deadline(context.clock, context.answerLimit ?? ANSWER_LIMIT, context.signal);
  const sentAt = context.clock.elapsed();
  try {
    const response = await agent.request({
      origin,
      path: request.path,
      method: request.method,
      headers: { accept: 'application/json', 'user-agent': 'ftm-watch', ...request.headers },
      body: request.method === 'POST' ? request.body : null,
      signal: limit.signal,
    });
    const serverTime = serverTimeOf(response.headers['date'], context.clock, sentAt);
    if (response.statusCode !== (request.success ?? 200)) {
      const refusal = request.refusalIn?.(await readBeginning(response.body));
      response.body.on('error', () => undefined).destroy();
      if (refusal instanceof Error) throw refusal;
      const retryAfter = retryAfterOf(response.headers['retry-after']);
      return { kind: 'status', status: response.statusCode, retryAfter, serverTime };
    }
    const text = await readBody(response);
    await context.ownTurn();
    const parsed = parseJson(text, response.headers['content-type'], request);
    // Each of the two steps can be slow.
    await context.ownTurn();
    return { kind: 'json', value: cleanJson(parsed, request.withoutSecrets), serverTime };
  } catch (error) {
    // undici reports an abort in several ways. The signal's reason indicates whether the time limit was reached.
    if (limit.signal.aborted && limit.signal.reason instanceof Error) throw limit.signal.reason;
    throw error;
  }
}

/** Assumes that the server wrote the header midway between the request and the response. */
function serverTimeOf(header: string | string[] | undefined, clock: Clock, sentAt: Millis): ServerTime | null {
  const date = typeof header === 'string' ? parseHttpDate(header) : null;
  if (date === null) return null;
  const half = (clock.elapsed() - sentAt) / 2;
  return { offsetMs: date + HALF_SECOND - (clock.now() - half), precisionMs: HALF_SECOND + half };
}

function parseJson(
  text: string,
  contentType: string | string[] | undefined,
  { refusalIn }: Pick<RequestHead, 'refusalIn'>,
): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    const refusal = refusalIn?.(text.slice(0, FIRST_BYTES));
    if (refusal instanceof Error) throw refusal;
    // The JSON parser's message is not used, because it contains part of the text, and the text might contain a secret.
    const isHtml = /^\s*</u.test(text) || String(contentType).includes('html');
    throw new ProbeError(
      'protocol',
      `Cannot read the response: expected JSON, got ${isHtml ? 'a web page' : 'something else'}`,
    );
  }
}

/**
 * For comparison, a page with 1,000 tokens is about 300 KB long. Parsing a hostile megabyte takes about 0.1 s, and
 * cleaning it half of that.
 */
const MAX_BYTES: number = 1024 * 1024;

const FIRST_BYTES: number = 16 * 1024;

/** @throws {ProbeError} when the body has a content encoding. The agent limits its size, and the caller the time. */
async function readBody({ headers, body }: Pick<Dispatcher.ResponseData, 'headers' | 'body'>): Promise<string> {
  const encoding = headers['content-encoding'];
  if (encoding === undefined || encoding === 'identity') return body.text();
  body.on('error', () => undefined).destroy();
  throw new ProbeError(
    'protocol',
    'Cannot read the response: expected no content encoding, because the request did not offer any',
  );
}

/** Returns what was received before a failure or the time limit, because the status is sufficient for a verdict. */
async function readBeginning(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of body) {
      if (!(chunk instanceof Uint8Array)) continue;
      chunks.push(chunk);
      size += chunk.length;
      if (size >= FIRST_BYTES) break;
    }
  } catch {
    // The beginning may be complete enough.
  }
  return Buffer.concat(chunks).toString('utf8', 0, FIRST_BYTES);
}

/**
 * Works on decoded values, because the raw text could contain a secret as escape sequences. Avoids recursion, because
 * the peer controls the nesting depth. Modifies `root` in place.
 */
export function cleanJson(root: unknown, withoutSecrets: (text: string) => string): unknown {
  const whole: unknown[] = [root];
  const waiting: object[] = [whole];

  function clean(value: unknown): unknown {
    if (typeof value === 'object' && value !== null) waiting.push(value);
    return typeof value === 'string' ? withoutSecrets(value) : value;
  }

  for (let holder = waiting.pop(); holder !== undefined; holder = waiting.pop()) {
    if (Array.isArray(holder)) {
      for (const [index, value] of holder.entries()) holder[index] = clean(value);
      continue;
    }
    for (const name of Object.keys(holder)) {
      const value: unknown = Reflect.get(holder, name);
      const [shown, cleaned] = [withoutSecrets(name), clean(value)];
      if (shown === name && cleaned === value) continue;
      Reflect.deleteProperty(holder, name);
      // Plain assignment is avoided, because a peer could send a field named `__proto__`.
      Reflect.defineProperty(holder, shown, { value: cleaned, writable: true, enumerable: true, configurable: true });
    }
  }
  return whole[0];
}

/**
 * An HTTP client that can send only GET requests without a body. On FortiAuthenticator, a POST request to the licence
 * resource would activate a licence.
 */
export interface HttpGetter extends AsyncDisposable {
  /** @throws the errors of `exchangeJson` */
  get(path: string): Promise<JsonReply>;
  /** True after a TLS handshake with the server, which shows that the server is running even if no response arrives. */
  hasConnected(): boolean;
}

interface HttpGetterOptions {
  readonly url: string;
  readonly trust: TlsTrust;
  readonly authorization: string | null;
  readonly secrets: readonly string[];
  readonly refusalIn?: RequestHead['refusalIn'];
}

/** @throws {Error} when the URL does not begin with https or `caFile` cannot be used */
export async function createHttpGetter(options: HttpGetterOptions, context: ExchangeContext): Promise<HttpGetter> {
  const head = {
    headers: options.authorization === null ? {} : { authorization: options.authorization },
    withoutSecrets: createSecretFilter(options.secrets),
    ...(options.refusalIn === undefined ? {} : { refusalIn: options.refusalIn }),
  };
  const origin = httpsOrigin(options.url);
  const agent = await createVerifiedAgent(options.trust);
  let isConnected = false;
  agent.once('connect', () => {
    isConnected = true;
  });
  return {
    hasConnected: () => isConnected,
    get: (path) => exchangeJson(agent, origin, { ...head, method: 'GET', path }, context),
    [Symbol.asyncDispose]: () => agent.destroy(),
  };
}

/** @throws {TypeError} for any URL other than https, so that credentials are sent only over TLS */
export function httpsOrigin(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null || parsed.protocol !== 'https:')
    throw new TypeError(`Cannot use "${url}": expected a URL that begins with "https://"`);
  return parsed.origin;
}

export function endpointOf(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null) return url;
  return `${parsed.hostname}:${parsed.port === '' ? '443' : parsed.port}`;
}

export interface ConnectorContext {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly env: NodeJS.ProcessEnv;
  /** Resolves when no other response is being read in this turn of the event loop, because reading can be slow. */
  readonly ownTurn: () => Promise<void>;
  /** Time limit for one response. @default 10 s */
  readonly answerLimit?: Millis;
}

/** `startedAt` is a monotonic time. */
export function failed(error: unknown, startedAt: Millis, context: ConnectorContext): ApiFailure {
  const failure = failureFrom(error, context.clock.elapsed() - startedAt, context.signal);
  const certificate = error instanceof PinMismatch ? 'untrusted' : certificateFault(error);
  return certificate === null || failure.reason !== 'tls' ? failure : { ...failure, certificate };
}

export function statusFailure(url: string, status: number, durationMs: Millis): Failure {
  return {
    kind: 'failed',
    reason: 'rejected',
    message: `${endpointOf(url)} responded with ${statusText(status)}`,
    durationMs,
  };
}

/** For example `HTTP status 429 (too many requests)`. */
export function statusText(status: number): string {
  const text = `HTTP status ${String(status)}`;
  if (status === 429) return `${text} (too many requests)`;
  if (status >= 300 && status < 400) return `${text} (a redirect, which is not followed, so check the URL)`;
  return status >= 500 ? `${text} (a server error)` : text;
}

/** If both are null, Node's built-in root certificates are used. */
interface TlsTrust {
  /** PEM file with root certificates, or with the server's exact certificate. */
  readonly caFile: string | null;
  /**
   * `sha256/<base64>` of the server's public key (RFC 7469 §2.4). With `caFile`, both must match. Without `caFile`, the
   * chain is not verified.
   */
  readonly pin: string | null;
}

/** Maximum number of connections to one server. More connections would put unnecessary load on an appliance. */
const CONNECTIONS = 4;

/**
 * Nothing is sent before the server is verified. Responses have at most 1 MiB. The caller destroys the agent.
 * @throws {Error} when `caFile` cannot be read or contains no certificate
 */
export async function createVerifiedAgent(trust: TlsTrust): Promise<Agent> {
  // The library is loaded on demand, to save memory if no connector is configured.
  const { Agent: NewAgent, buildConnector: createConnector } = await import('undici');
  const authorities = trust.caFile === null ? null : await readAuthorities(trust.caFile);
  const connect = createConnector({
    allowH2: false,
    lookup: getaddrinfoForSockets,
    // TLS session resumption is disabled, because a resumed session provides no certificate to compare with the pin.
    maxCachedSessions: 0,
    // undici's timeouts are disabled, because each request has a time limit that uses the caller's clock.
    timeout: 0,
    ...(authorities === null
      ? {}
      : {
          ca: [...authorities.pems],
          allowPartialTrustChain: true,
          // Appliances ship with a self-signed certificate that contains neither their address nor their host name. If
          // `caFile` contains exactly this certificate, the name is not checked.
          checkServerIdentity: (host: string, certificate: PeerCertificate) =>
            authorities.ders.some((der) => der.equals(certificate.raw))
              ? undefined
              : checkServerIdentity(host, certificate),
        }),
    // If only a pin is set, the chain is not verified. The key is compared below, before the request is sent.
    rejectUnauthorized: trust.pin === null || authorities !== null,
  });
  return new NewAgent({
    connections: CONNECTIONS,
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    maxResponseSize: MAX_BYTES,
    connect: trust.pin === null ? connect : pinnedConnect(connect, trust.pin),
  });
}

function pinnedConnect(connect: buildConnector.connector, pin: string): buildConnector.connector {
  return (options, callback) => {
    connect(options, (...result) => {
      const [error, socket] = result;
      if (error !== null) {
        callback(error, null);
        return;
      }
      const mismatch = pinMismatch(socket instanceof TLSSocket ? socket : null, pin);
      if (mismatch === null) {
        callback(null, socket);
        return;
      }
      socket.destroy();
      callback(mismatch, null);
    });
  };
}

function pinMismatch(socket: TLSSocket | null, pin: string): Error | null {
  const certificate = socket?.getPeerX509Certificate();
  const presented = (certificate === undefined ? null : parseCertificate(certificate.raw)?.pin) ?? 'no certificate';
  if (presented === pin) return null;
  return new PinMismatch('tls', `The certificate does not match the pin: expected "${pin}", got "${presented}"`);
}

class PinMismatch extends ProbeError {}

/** @throws {Error} without any part of the value, if the value cannot be used in a header */
export async function secretOf(source: SecretSource, context: ConnectorContext): Promise<string> {
  const secret = await readSecret(source, context.env);
  if (!/[\p{Cc}]/u.test(secret)) return secret;
  const from = source.kind === 'file' ? `file "${source.path}"` : `environment variable "${source.name}"`;
  throw new Error(`Cannot use the secret in ${from}: expected one line, got control characters`);
}
