import { createHash, type X509Certificate } from 'node:crypto';
import { checkServerIdentity, TLSSocket, type PeerCertificate } from 'node:tls';
import type { Dispatcher, Agent, buildConnector } from 'undici';
import { deadline } from '../../system/clock.ts';
import type { Clock, Millis } from '../../core/clock.ts';
import { ProbeError, failureFrom } from '../failure.ts';
import { parseHttpDate, retryAfterOf } from '../http/request.ts';
import { createSecretFilter } from '../../core/visible-text.ts';
import type { Failure } from '../../core/observation.ts';
import { getaddrinfoForSockets } from '../lookup.ts';
import { readAuthorities } from '../tls/secure-context.ts';
import { readSecret, type SecretSource } from '../../system/secret.ts';

/** One request. */
type JsonRequest = RequestHead & ({ readonly method: 'GET' } | { readonly method: 'POST'; readonly body: string });

interface RequestHead {
  /** Begins with a slash and may carry a query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Takes out what of the request must not come back in the texts of the answer, which are shown to people. */
  readonly withoutSecrets: (text: string) => string;
}

/** The interface answered. A status other than 200 is an answer too, judged by the caller. */
export type JsonReply = (
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter: Millis | null }
) & {
  /** What the `Date` header of the answer says of our clock; null: it has none that can be read. */
  readonly serverTime: ServerTime | null;
};

/** The clock of a server, seen in one answer. */
export interface ServerTime {
  /** Its time minus ours. */
  readonly offsetMs: Millis;
  /** It is off by so much at most: half of the round trip, and half of the second that the header is cut to. */
  readonly precisionMs: Millis;
}

/** A `Date` header is cut to whole seconds (RFC 9110 §5.6.7), so the time meant is half a second later on average. */
const HALF_SECOND: Millis = 500;

type ExchangeContext = Pick<ConnectorContext, 'clock' | 'signal' | 'ownTurn' | 'answerLimit'>;

/** From the start of the connection to the last byte of the body: a peer that trickles does not get around it. */
const ANSWER_LIMIT: Millis = 10_000;

/**
 * Sends one request and reads one JSON answer: bounded in time and size, no redirect followed, nothing repeated.
 * @throws what Node or undici threw, `ProbeError` for an answer that is not JSON, `DeadlineError` after the limit
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
    if (response.statusCode !== 200) {
      response.body.on('error', () => undefined).destroy();
      const retryAfter = retryAfterOf(response.headers['retry-after']);
      return { kind: 'status', status: response.statusCode, retryAfter, serverTime };
    }
    const text = await readBody(response);
    await context.ownTurn();
    return {
      kind: 'json',
      value: cleanJson(parseJson(text, response.headers['content-type']), request.withoutSecrets),
      serverTime,
    };
  } catch (error) {
    // undici reports an abort in several ways; the signal's own reason says whether the time was up.
    if (limit.signal.aborted && limit.signal.reason instanceof Error) throw limit.signal.reason;
    throw error;
  }
}

/** The header was written at some moment between the request and its arrival: the middle is assumed. */
function serverTimeOf(header: string | string[] | undefined, clock: Clock, sentAt: Millis): ServerTime | null {
  const date = typeof header === 'string' ? parseHttpDate(header) : null;
  if (date === null) return null;
  const half = (clock.elapsed() - sentAt) / 2;
  return { offsetMs: date + HALF_SECOND - (clock.now() - half), precisionMs: HALF_SECOND + half };
}

function parseJson(text: string, contentType: string | string[] | undefined): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    // The parser's message quotes the text, which may hold a secret.
    const isHtml = /^\s*</u.test(text) || String(contentType).includes('html');
    throw new ProbeError(
      'protocol',
      `Cannot read the answer: expected JSON, got ${isHtml ? 'a web page' : 'something else'}`,
    );
  }
}

/** A page of 1,000 tokens has some 300 KB. */
const MAX_BYTES: number = 1024 * 1024;

/** What reads an answer costs by its values more than by its bytes. That page has some 10,000. */
const MAX_VALUES: number = 64 * 1024;

/** Room for most answers. */
const FIRST_BYTES: number = 16 * 1024;

const [COMMA, BRACKET, BRACE] = [0x2c, 0x5b, 0x7b];

/**
 * The body of a JSON answer, bounded in size and in values, before anything looks at it as JSON. The caller bounds the
 * time.
 * @throws {ProbeError} when it is more than that, or in an encoding
 */
export async function readBody({ headers, body }: Pick<Dispatcher.ResponseData, 'headers' | 'body'>): Promise<string> {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    body.on('error', () => undefined).destroy();
    throw new ProbeError('protocol', 'Cannot read the answer: expected no content encoding, since none was offered');
  }
  // Joined at once: a peer may send a million pieces of one byte.
  let bytes = Buffer.allocUnsafe(FIRST_BYTES);
  let size = 0;
  let values = 1;
  // Leaving the loop destroys the body, and with it the connection.
  for await (const chunk of body) {
    if (!(chunk instanceof Uint8Array)) continue;
    const wanted = size + chunk.length;
    values += valuesBegunIn(chunk);
    if (wanted > MAX_BYTES) throw tooMuch(MAX_BYTES, 'bytes');
    if (values > MAX_VALUES) throw tooMuch(MAX_VALUES, 'values');
    if (wanted > bytes.length) bytes = Buffer.concat([bytes.subarray(0, size)], Math.max(wanted, 2 * bytes.length));
    bytes.set(chunk, size);
    size = wanted;
  }
  return bytes.toString('utf8', 0, size);
}

/** At least: before each value but the first stands one of these. They stand in texts too, and seldom there. */
function valuesBegunIn(bytes: Uint8Array): number {
  let count = 0;
  for (const byte of bytes) if (byte === COMMA || byte === BRACKET || byte === BRACE) count += 1;
  return count;
}

function tooMuch(most: number, what: string): ProbeError {
  return new ProbeError('protocol', `Cannot read the answer: expected at most ${String(most)} ${what}`);
}

/**
 * What `JSON.parse` gave, with `withoutSecrets` done to every text and name in it: decoded, since escapes in the raw
 * text would hide a secret. Changes it in place, and without recursion: the peer decides how deep it is nested.
 */
export function cleanJson(root: unknown, withoutSecrets: (text: string) => string): unknown {
  const whole: unknown[] = [root];
  const waiting: object[] = [whole];

  function clean(value: unknown): unknown {
    if (typeof value === 'object' && value !== null) waiting.push(value);
    return typeof value === 'string' ? withoutSecrets(value) : value;
  }

  for (let holder = waiting.pop(); holder !== undefined; holder = waiting.pop()) {
    for (const name of Object.keys(holder)) {
      const value: unknown = Reflect.get(holder, name);
      const [shown, cleaned] = [Array.isArray(holder) ? name : withoutSecrets(name), clean(value)];
      if (shown === name && cleaned === value) continue;
      Reflect.deleteProperty(holder, name);
      // Not by assignment: a peer may name a field `__proto__`.
      Reflect.defineProperty(holder, shown, { value: cleaned, writable: true, enumerable: true, configurable: true });
    }
  }
  return whole[0];
}

/**
 * A client that can read and nothing else: no method, no body can be said. On a FortiAuthenticator a POST to the
 * licence resource activates a licence.
 */
export interface HttpGetter extends AsyncDisposable {
  /**
   * @param path begins with a slash and may carry a query
   * @throws see `exchangeJson`
   */
  get(path: string): Promise<JsonReply>;
}

interface HttpGetterOptions {
  readonly url: string;
  readonly trust: TlsTrust;
  /** The header `Authorization`; null: anybody may read. */
  readonly authorization: string | null;
  /** What of the request must not come back in an answer. */
  readonly secrets: readonly string[];
}

/** @throws {Error} when the URL is not https or `caFile` cannot be used */
export async function createHttpGetter(options: HttpGetterOptions, context: ExchangeContext): Promise<HttpGetter> {
  const head = {
    headers: options.authorization === null ? {} : { authorization: options.authorization },
    withoutSecrets: createSecretFilter(options.secrets),
  };
  const origin = httpsOrigin(options.url);
  const agent = await createVerifiedAgent(options.trust);
  return {
    get: (path) => exchangeJson(agent, origin, { ...head, method: 'GET', path }, context),
    [Symbol.asyncDispose]: () => agent.destroy(),
  };
}

/**
 * The origin of an https URL, where credentials may be sent to.
 * @throws {TypeError} for anything else
 */
export function httpsOrigin(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null || parsed.protocol !== 'https:')
    throw new TypeError(`Cannot use "${url}": expected a URL that begins with "https://"`);
  return parsed.origin;
}

/** `host:port` of a URL, for people; the text itself where it is none. */
export function endpointOf(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null) return url;
  return `${parsed.hostname}:${parsed.port === '' ? '443' : parsed.port}`;
}

/** What every connector needs besides its own target. */
export interface ConnectorContext {
  readonly clock: Clock;
  /** Aborted when the round is called off. */
  readonly signal: AbortSignal;
  /** Where secrets named by variable are read from. */
  readonly env: NodeJS.ProcessEnv;
  /** Resolves in a turn of the event loop that no other answer is read in: peers can make that long. */
  readonly ownTurn: () => Promise<void>;
  /** How long one answer is waited for. @default 10 s */
  readonly answerLimit?: Millis;
}

/** Turns what was thrown into a failure; `startedAt` is of the monotonic clock. */
export function failed(error: unknown, startedAt: Millis, context: ConnectorContext): Failure {
  return failureFrom(error, context.clock.elapsed() - startedAt, context.signal);
}

/** The failure behind a status that is neither success nor a refusal of the credentials. */
export function statusFailure(url: string, status: number, durationMs: Millis): Failure {
  return {
    kind: 'failed',
    reason: 'rejected',
    message: `${endpointOf(url)} answered HTTP ${String(status)}`,
    durationMs,
  };
}

/** How the certificate of an interface is verified. Neither: under the roots that Node ships. */
interface TlsTrust {
  /** PEM file of roots, or of the very certificate that the interface presents. */
  readonly caFile: string | null;
  /** `sha256/<base64>` of its public key (RFC 7469 §2.4): alone it stands for a chain, with `caFile` both must hold. */
  readonly pin: string | null;
}

/** Enough for one interface; more would be a burden on an appliance. */
const CONNECTIONS = 4;

/**
 * HTTP connections to one interface, over verified TLS only: nothing is sent before the peer has proved who it is.
 * The caller destroys the agent.
 * @throws {Error} when `caFile` cannot be read or holds no certificate
 */
export async function createVerifiedAgent(trust: TlsTrust): Promise<Agent> {
  // Who has no interface to read is spared its memory.
  const { Agent: NewAgent, buildConnector: createConnector } = await import('undici');
  const authorities = trust.caFile === null ? null : await readAuthorities(trust.caFile);
  const connect = createConnector({
    allowH2: false,
    lookup: getaddrinfoForSockets,
    // A resumed session shows no certificate, so there would be nothing to compare the pin with.
    maxCachedSessions: 0,
    // The time limit is the request's own, on the caller's clock.
    timeout: 0,
    ...(authorities === null ? {} : { ca: [...authorities.pems], allowPartialTrustChain: true }),
    ...(authorities === null ? {} : { checkServerIdentity: identityCheck(authorities.ders) }),
    // A pin alone replaces the chain: the key is compared below, before a byte of the request is written.
    rejectUnauthorized: trust.pin === null || authorities !== null,
  });
  return new NewAgent({
    connections: CONNECTIONS,
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
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
  const presented = certificate === undefined ? 'no certificate' : pinOf(certificate);
  if (presented === pin) return null;
  return new ProbeError('tls', `Certificate does not match the pin: expected "${pin}", got "${presented}"`);
}

function pinOf(certificate: X509Certificate): string {
  const spki = certificate.publicKey.export({ type: 'spki', format: 'der' });
  return `sha256/${createHash('sha256').update(spki).digest('base64')}`;
}

/**
 * Appliances ship with a self-signed certificate that names neither their address nor their host. When that very
 * certificate stands in `caFile`, it is the identity, and no name is needed.
 */
function identityCheck(ders: readonly Buffer[]): (host: string, certificate: PeerCertificate) => Error | undefined {
  return (host, certificate) =>
    ders.some((der) => der.equals(certificate.raw)) ? undefined : checkServerIdentity(host, certificate);
}

/**
 * The secret as it is now. What could not stand in a header (a line break in the middle of a wrong file) is refused.
 * @throws {Error} never with a part of the value
 */
export async function secretOf(source: SecretSource, context: ConnectorContext): Promise<string> {
  const secret = await readSecret(source, context.env);
  if (!/[\p{Cc}]/u.test(secret)) return secret;
  const from = source.kind === 'file' ? `file "${source.path}"` : `environment variable "${source.name}"`;
  throw new Error(`Cannot use the secret in ${from}: expected one line, got control characters`);
}
