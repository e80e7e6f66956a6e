import type { Fields } from '../../core/fields.ts';
import { addAbortSignal, type Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { messageOf } from '../../text/message-of.ts';
import type {
  ChannelDefinition,
  ChannelDeps,
  DeliveryRequest,
  EgressDeps,
  MessageChannel,
  RecipientOutcome,
} from './channel.ts';
import { deadline } from '../../system/clock.ts';
import type { Clock, Millis } from '../../core/clock.ts';
import { visibleText, withoutSecrets } from '../../core/visible-text.ts';
import { retryAfterOf } from '../../network/http/request.ts';
import { withoutCodes } from '../../text/mask.ts';
import type { SecretReader, SecretSource } from '../../system/secret.ts';
import type { SecretUrl } from '../../config/schema/secret.ts';
import { isReadableOnTheWay } from '../../config/schema/endpoints.ts';
import { hasSecret, type Report } from '../../config/schema/section.ts';
import { authority, isLoopbackUrl } from '../../core/addresses.ts';
import { readAuthorities } from '../../network/tls/secure-context.ts';

interface ServiceConfig extends Pick<MessageChannel, 'minSeverity'> {
  /** Shown in the log and on the status page. */
  readonly name: string;
  readonly caFile: string | null;
}

type OwnPost = Pick<JsonPost, 'url' | 'body' | 'secrets'> & Partial<JsonPost>;

/**
 * Sends each notification to each configured service.
 * @param posts as in `createPostingChannel`
 */
export function postingChannel<Id extends string, Key extends string, Service extends ServiceConfig>(
  words: Pick<ChannelDefinition<Id, Key, readonly Service[]>, 'id' | 'name' | 'key' | 'section'>,
  posts: (service: Service, request: DeliveryRequest, deps: ChannelDeps) => Promise<readonly OwnPost[]>,
): ChannelDefinition<Id, Key, readonly Service[]> {
  const { id, key } = words;
  return {
    ...words,
    kind: 'messages',
    recipients: 'name',
    isProxied: true,
    create: (notify, deps) =>
      notify[key].map((service) => createPostingChannel(id, service, deps, (request) => posts(service, request, deps))),
  };
}

/**
 * Sends each notification as one or more HTTP requests.
 * @param posts returns the requests in order; if one of them fails, all are sent again, so the service must tolerate
 * duplicates
 */
export function createPostingChannel(
  id: string,
  { name, minSeverity, caFile }: ServiceConfig,
  deps: EgressDeps,
  posts: (request: DeliveryRequest) => Promise<readonly OwnPost[]>,
): MessageChannel {
  void prepareToPost();
  return {
    kind: 'messages',
    id,
    recipients: [name],
    minSeverity,
    async deliver(request, signal) {
      const outcome = await postAll(request, signal);
      return request.recipients.map((recipient): RecipientOutcome => ({ recipient, ...outcome }));
    },
  };

  async function postAll(request: DeliveryRequest, signal: AbortSignal): Promise<PostOutcome> {
    let outcome: PostOutcome = { kind: 'sent', detail: '' };
    try {
      for (const post of await posts(request)) {
        outcome = await postJson({ authorization: null, caFile, ...post }, deps, signal);
        if (outcome.kind !== 'sent') return outcome;
      }
      return outcome;
    } catch (error) {
      return { kind: 'deferred', detail: messageOf(error) };
    }
  }
}

interface JsonPost {
  readonly url: string;
  readonly body: unknown;
  readonly authorization: string | null;
  /** Names are in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Removed from the outcome. For example, an error page can quote the secret path. */
  readonly secrets: readonly string[];
  /** If null, Node's built-in CAs are trusted. */
  readonly caFile: string | null;
}

/** `deferred`: another attempt may succeed. `rejected`: the same request would fail again. */
export type PostOutcome = Omit<RecipientOutcome, 'recipient'>;

const POST_DEADLINE: Millis = 15_000;
/** The time to wait for the response body after the status has been received. */
const TEXT_DEADLINE: Millis = 1_000;
/**
 * Status codes that can be temporary (RFC 9110 §15.5, RFC 6585 §4). For example, 401 and 403 are no longer returned
 * once the token has been corrected.
 */
const PASSING: ReadonlySet<number> = new Set([401, 403, 404, 408, 409, 421, 423, 425, 429]);

/**
 * Loads the HTTP client, which needs 20 MB, when a channel that uses it is created, because there may be no free file
 * descriptor during the first incident. Never rejects. If loading fails, each request tries again.
 */
export async function prepareToPost(): Promise<void> {
  await import('undici').catch(() => undefined);
}

/** Sends one POST request over a separate connection. Does not follow redirects. Never throws. */
export async function postJson(post: JsonPost, deps: EgressDeps, signal: AbortSignal): Promise<PostOutcome> {
  const { url, caFile, secrets, authorization } = post;
  const headers = {
    'content-type': 'application/json',
    ...post.headers,
    ...(authorization === null ? {} : { authorization }),
  };
  const request = { method: 'POST', headers, body: JSON.stringify(post.body) } as const;
  try {
    const reply = await requestOnce({ url, caFile, limit: POST_DEADLINE, request }, deps, signal);
    const outcome = outcomeOf(reply.status, withoutCodes(withoutSecrets(reply.text, secrets)));
    return outcome.kind === 'deferred' && reply.retryAfter !== null
      ? { ...outcome, retryAfter: reply.retryAfter }
      : outcome;
  } catch (error) {
    return { kind: 'deferred', detail: visibleText(messageOf(error), 300) };
  }
}

interface OneRequest {
  readonly url: string;
  /** If null, Node's built-in CAs are trusted. */
  readonly caFile: string | null;
  readonly limit: Millis;
  readonly request: Pick<Dispatcher.RequestOptions, 'method' | 'headers' | 'body'>;
}

interface Reply {
  readonly status: number;
  /** The start of the body. It can quote secrets. */
  readonly text: string;
  readonly retryAfter: Millis | null;
}

/**
 * Sends one request over a separate connection. Does not follow redirects. The HTTP client is loaded only when it is
 * needed, to save memory.
 * @throws {Error} if there is no response; the message names the configured proxy
 */
export async function requestOnce(
  { url, caFile, limit: time, request }: OneRequest,
  deps: EgressDeps,
  signal: AbortSignal,
): Promise<Reply> {
  const { clock } = deps;
  using limit = deadline(clock, time, signal);
  let dispatcher: Dispatcher | null = null;
  try {
    const undici = await import('undici');
    dispatcher = await openDispatcher(url, caFile, deps);
    const response = await undici.request(url, { ...request, dispatcher, signal: limit.signal });
    const text = await firstBytes(response.body, clock, limit.signal);
    return { status: response.statusCode, text, retryAfter: retryAfterOf(response.headers['retry-after']) };
  } catch (error) {
    const why = reason(limit.expired() ? limit.signal.reason : error);
    throw new Error(`${why}${throughProxy(url, deps)}`, { cause: error });
  } finally {
    await dispatcher?.destroy();
  }
}

function outcomeOf(status: number, text: string): PostOutcome {
  const detail = visibleText(`HTTP ${String(status)}${text === '' ? '' : `: ${text}`}`, 300);
  if (status >= 200 && status < 300) return { kind: 'sent', detail };
  return { kind: status >= 400 && status < 500 && !PASSING.has(status) ? 'rejected' : 'deferred', detail };
}

/**
 * Returns the start of a response body, which is shown to people as an explanation. Reads more text than is shown, so
 * that secrets at the end are recognized and removed. If the body arrives late or never ends, returns an empty string
 * instead of failing, because an accepted notification must not be sent again.
 */
async function firstBytes(body: Readable, clock: Clock, signal: AbortSignal): Promise<string> {
  using limit = deadline(clock, TEXT_DEADLINE, signal);
  try {
    for await (const chunk of addAbortSignal(limit.signal, body)) {
      if (chunk instanceof Uint8Array) return Buffer.from(chunk.subarray(0, 8_192)).toString('utf8').trim();
    }
  } catch {
    // The body is optional, because the status code is already known.
  }
  return '';
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  return messageOf(error.message === '' && error.cause instanceof Error ? error.cause : error) || error.name;
}

/** A user name with a password (RFC 7617), a token (RFC 6750), or neither. */
interface Credentials {
  readonly user: string | null;
  readonly password: SecretSource | null;
  readonly token: SecretSource | null;
}

const TOKEN_IN_CLEAR =
  'expected a URL that begins with "https://", because the token would otherwise be sent unencrypted';

export function tokenNeedsHttps(fields: Fields, report: Report): void {
  const { url } = fields;
  if (hasSecret('token', fields) && typeof url === 'string' && isReadableOnTheWay(url)) report('url', TOKEN_IN_CLEAR);
}

/**
 * Returns the parts of a request that depend on secrets. The secrets are read again for each request.
 * @throws {Error} if the URL or the token cannot be read, or if the token would be sent unencrypted
 */
export async function targetOf(
  service: { readonly url: SecretUrl; readonly token?: SecretSource | null },
  readSecret: SecretReader,
): Promise<Pick<JsonPost, 'url' | 'authorization' | 'secrets'>> {
  const { token = null } = service;
  const url = await readSecretUrl(service.url, readSecret);
  if (token !== null && isReadableOnTheWay(url)) throw new Error(TOKEN_IN_CLEAR);
  const { authorization, secrets } = await authorizationOf({ user: null, password: null, token }, readSecret);
  return { url, authorization, secrets: [...secrets, ...secretPartsOf(url)] };
}

interface Authorization {
  readonly authorization: string | null;
  /** Removed from messages, in case the server's response repeats them. */
  readonly secrets: readonly string[];
}

/** @throws {Error} if a secret cannot be read */
export async function authorizationOf(
  { user, password, token }: Credentials,
  readSecret: SecretReader,
): Promise<Authorization> {
  if (token !== null) {
    const secret = await readSecret(token);
    return { authorization: `Bearer ${secret}`, secrets: [secret] };
  }
  if (user === null || password === null) return { authorization: null, secrets: [] };
  const secret = await readSecret(password);
  const login = `${user}:${secret}`;
  return { authorization: `Basic ${Buffer.from(login, 'utf8').toString('base64')}`, secrets: [secret, login] };
}

/**
 * A URL in a file or environment variable is read again for each use.
 * @throws {Error} if the URL cannot be read or is not an HTTP URL; the message contains no part of the URL
 */
export async function readSecretUrl(url: SecretUrl, readSecret: SecretReader): Promise<string> {
  if (typeof url === 'string') return url;
  const text = (await readSecret(url)).trim();
  if (!/^https?:$/u.test(URL.parse(text)?.protocol ?? ''))
    throw new Error(`Cannot use the content of ${placeOf(url)}: expected a URL that begins with "https://"`);
  return text;
}

export function placeOf(source: Exclude<SecretUrl, string>): string {
  return source.kind === 'file' ? `file "${source.path}"` : `environment variable "${source.name}"`;
}

/** Returns everything after the host, with and without the query. */
export function secretPartsOf(url: string): readonly string[] {
  const { pathname, search } = new URL(url);
  return pathname === '/' && search === '' ? [] : [`${pathname}${search}`, ...(pathname === '/' ? [] : [pathname])];
}

/**
 * Requests to loopback addresses never use a proxy. The caller must destroy the dispatcher.
 * @param caFile a PEM file with the CAs to trust; if null, Node's built-in CAs are trusted
 * @throws {Error} if `caFile` or the proxy's password cannot be read, or if a variable does not contain a URL
 */
async function openDispatcher(url: string, caFile: string | null, deps: EgressDeps): Promise<Dispatcher> {
  const { Agent, EnvHttpProxyAgent } = await import('undici');
  const tls = caFile === null ? {} : { ca: [...(await readAuthorities(caFile)).pems] };
  const options = { connect: tls, pipelining: 0 };
  if (isLoopbackUrl(url)) return new Agent(options);
  // If the option is an empty string, undici does not use a proxy. If the option is missing, undici reads this
  // process's environment.
  return new EnvHttpProxyAgent({ ...options, requestTls: tls, ...(await proxiesOf(deps)) });
}

/** Returns a note such as ` (through the proxy 10.0.0.8:3128)`. */
function throughProxy(url: string, { proxy }: EgressDeps): string {
  return proxy === null || isLoopbackUrl(url) ? '' : ` (through the proxy ${authority(proxy)})`;
}

interface Proxies {
  readonly httpProxy: string;
  readonly httpsProxy: string;
  readonly noProxy: string;
  readonly token?: string;
}

async function proxiesOf({ proxy, env, readSecret }: EgressDeps): Promise<Proxies> {
  const variable = (name: string): string => env[name.toLowerCase()] ?? env[name] ?? '';
  if (proxy === null)
    return { httpProxy: variable('HTTP_PROXY'), httpsProxy: variable('HTTPS_PROXY'), noProxy: variable('NO_PROXY') };
  const url = `http://${authority(proxy)}`;
  const { user, password } = proxy;
  if (user === null || password === null) return { httpProxy: url, httpsProxy: url, noProxy: '' };
  const token = `Basic ${Buffer.from(`${user}:${await readSecret(password)}`, 'utf8').toString('base64')}`;
  return { httpProxy: url, httpsProxy: url, noProxy: '', token };
}
