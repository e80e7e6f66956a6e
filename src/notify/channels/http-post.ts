import { addAbortSignal, type Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { messageOf } from '../../text/message-of.ts';
import type { DeliveryRequest, EgressDeps, MessageChannel, RecipientOutcome } from './channel.ts';
import { deadline } from '../../system/clock.ts';
import type { Clock, Millis } from '../../core/clock.ts';
import { visibleText, withoutSecrets } from '../../core/visible-text.ts';
import { retryAfterOf } from '../../network/http/request.ts';
import { withoutCodes } from '../../text/mask.ts';
import type { SecretReader, SecretSource } from '../../system/secret.ts';
import type { SecretUrl } from '../../config/schema/secret.ts';
import { isReadableOnTheWay } from '../../config/schema/endpoints.ts';
import { hasSecret, type Report, type SectionFields } from '../../config/schema/section.ts';
import { authority, isLoopbackUrl } from '../../core/addresses.ts';
import { readAuthorities } from '../../network/tls/secure-context.ts';

/** What the configuration has for a service that takes posts of JSON. */
interface ServiceConfig extends Pick<MessageChannel, 'minSeverity'> {
  /** What the log and the page call it. */
  readonly name: string;
  readonly caFile: string | null;
}

/** A post without what the configuration says by itself. */
type OwnPost = Pick<JsonPost, 'url' | 'body' | 'secrets'> & Partial<JsonPost>;

/**
 * A service that takes a notification as one or more posts of JSON.
 * @param posts in order; the service must bear to be sent all of them again when one is not taken
 */
export function createPostingChannel(
  id: string,
  { name, minSeverity, caFile }: ServiceConfig,
  deps: PostDeps,
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

export interface JsonPost {
  readonly url: string;
  readonly body: unknown;
  /** The header `Authorization`. */
  readonly authorization: string | null;
  /** More of them, in small letters. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What of the request must not come back in the outcome: a page that says "not found" quotes the way to it. */
  readonly secrets: readonly string[];
  /** PEM of the authorities to verify under instead of those that Node ships. */
  readonly caFile: string | null;
}

/** `deferred`: worth another try; `rejected`: the same request will not do better. */
export type PostOutcome = Omit<RecipientOutcome, 'recipient'>;

const POST_DEADLINE: Millis = 15_000;
/** For the first bytes after the status. */
const TEXT_DEADLINE: Millis = 1_000;
/**
 * These 4xx are about the moment, not about the request (RFC 9110 §15.5, RFC 6585 §4); 401 and 403 pass when the token
 * is fixed.
 */
const PASSING: ReadonlySet<number> = new Set([401, 403, 404, 408, 409, 421, 423, 425, 429]);

/**
 * Loads what posting takes, 20 MB of memory that few need. To be called when a channel is made: at the first incident
 * there may be no file left to open. Never rejects: where it cannot be loaded now, each post tries again.
 */
export async function prepareToPost(): Promise<void> {
  await import('undici').catch(() => undefined);
}

interface PostDeps extends EgressDeps {
  readonly clock: Clock;
}

/**
 * Posts JSON once, on a separate connection, and never throws: an error becomes an outcome. Redirects are not followed.
 */
export async function postJson(post: JsonPost, deps: PostDeps, signal: AbortSignal): Promise<PostOutcome> {
  const { clock } = deps;
  using limit = deadline(clock, POST_DEADLINE, signal);
  let dispatcher: Dispatcher | null = null;
  try {
    const { request } = await import('undici');
    dispatcher = await openDispatcher(post.url, post.caFile, deps);
    const response = await request(post.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...post.headers,
        ...(post.authorization === null ? {} : { authorization: post.authorization }),
      },
      body: JSON.stringify(post.body),
      dispatcher,
      signal: limit.signal,
    });
    const text = await firstBytes(response.body, clock, limit.signal);
    const outcome = outcomeOf(response.statusCode, withoutCodes(withoutSecrets(text, post.secrets)));
    const retryAfter = retryAfterOf(response.headers['retry-after']);
    return outcome.kind === 'deferred' && retryAfter !== null ? { ...outcome, retryAfter } : outcome;
  } catch (error) {
    const text = `${reason(limit.expired() ? limit.signal.reason : error)}${throughProxy(post.url, deps)}`;
    return { kind: 'deferred', detail: visibleText(text, 300) };
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
 * Enough of an answer to tell people; the rest is not read. More than is shown, so that no secret is cut in two. The
 * status decides what became of the post, so that an answer without an end, or a late one, has no text and no other
 * consequence: what was accepted must not be sent again because of it.
 */
export async function firstBytes(body: Readable, clock: Clock, signal: AbortSignal): Promise<string> {
  using limit = deadline(clock, TEXT_DEADLINE, signal);
  try {
    for await (const chunk of addAbortSignal(limit.signal, body)) {
      if (chunk instanceof Uint8Array) return Buffer.from(chunk.subarray(0, 8_192)).toString('utf8').trim();
    }
  } catch {
    // The status is known all the same.
  }
  return '';
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  return messageOf(error.message === '' && error.cause instanceof Error ? error.cause : error) || error.name;
}

/** What a service asks for, one at most: a login (RFC 7617) or a token (RFC 6750). */
interface Credentials {
  readonly user: string | null;
  readonly password: SecretSource | null;
  readonly token: SecretSource | null;
}

const TOKEN_IN_CLEAR = 'expected a URL that begins with "https://": the token would travel in clear';

/** Of a section with `url` and a token. */
export function tokenNeedsHttps(fields: SectionFields, report: Report): void {
  const { url } = fields;
  if (hasSecret('token', fields) && typeof url === 'string' && isReadableOnTheWay(url)) report('url', TOKEN_IN_CLEAR);
}

/** The same of a URL that is read only now. @throws {Error} */
export async function tokenFor(
  url: string,
  token: SecretSource | null,
  readSecret: SecretReader,
): Promise<{ readonly authorization: string | null; readonly secrets: readonly string[] }> {
  if (token !== null && isReadableOnTheWay(url)) throw new Error(TOKEN_IN_CLEAR);
  const { header, secrets } = await authorizationOf({ user: null, password: null, token }, readSecret);
  return { authorization: header, secrets };
}

interface Authorization {
  /** The header `Authorization`; null without credentials. */
  readonly header: string | null;
  /** What must not come back from the peer into a message. */
  readonly secrets: readonly string[];
}

/** @throws {Error} when a secret cannot be read */
export async function authorizationOf(
  { user, password, token }: Credentials,
  readSecret: SecretReader,
): Promise<Authorization> {
  if (token !== null) {
    const secret = await readSecret(token);
    return { header: `Bearer ${secret}`, secrets: [secret] };
  }
  if (user === null || password === null) return { header: null, secrets: [] };
  const secret = await readSecret(password);
  const login = `${user}:${secret}`;
  return { header: `Basic ${Buffer.from(login, 'utf8').toString('base64')}`, secrets: [secret, login] };
}

/**
 * The URL itself, read at each use.
 * @throws {Error} when it cannot be read or is no URL of the web; never with a part of it
 */
export async function readSecretUrl(url: SecretUrl, readSecret: SecretReader): Promise<string> {
  if (typeof url === 'string') return url;
  const text = (await readSecret(url)).trim();
  if (!/^https?:$/u.test(URL.parse(text)?.protocol ?? ''))
    throw new Error(`Cannot use what ${placeOf(url)} holds: expected a URL that begins with "https://"`);
  return text;
}

/** Where it stands, for people and for the store. */
export function placeOf(source: Exclude<SecretUrl, string>): string {
  return source.kind === 'file' ? `file "${source.path}"` : `environment variable "${source.name}"`;
}

/** What of a URL is the secret: what follows the host, whole and without the query; nothing where there is nothing. */
export function secretPartsOf(url: string): readonly string[] {
  const { pathname, search } = new URL(url);
  return pathname === '/' && search === '' ? [] : [`${pathname}${search}`, ...(pathname === '/' ? [] : [pathname])];
}

/**
 * Connections for requests to `url`, direct or through a proxy. Loopback is never proxied. The caller must destroy it.
 * @param caFile PEM of the authorities to verify under instead of those that Node ships
 * @throws {Error} when `caFile` or the password of the proxy cannot be read, or a variable contains no URL
 */
export async function openDispatcher(url: string, caFile: string | null, deps: EgressDeps): Promise<Dispatcher> {
  const { Agent, EnvHttpProxyAgent } = await import('undici');
  const tls = caFile === null ? {} : { ca: [...(await readAuthorities(caFile)).pems] };
  const options = { connect: tls, pipelining: 0 };
  if (isLoopbackUrl(url)) return new Agent(options);
  // It takes empty text for no proxy, and only what is missing from the environment of this process.
  return new EnvHttpProxyAgent({ ...options, requestTls: tls, ...(await proxiesOf(deps)) });
}

/** The configured proxy as messages name it: `(through the proxy 10.0.0.8:3128)`. */
export function throughProxy(url: string, { proxy }: EgressDeps): string {
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
