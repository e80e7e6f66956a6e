import { addAbortSignal, type Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { messageOf } from '../../text/message-of.ts';
import type { DeliveryRequest, MessageChannel, RecipientOutcome } from './channel.ts';
import { deadline } from '../../system/clock.ts';
import type { Clock, Millis } from '../../core/clock.ts';
import { visibleText, withoutSecrets } from '../../core/visible-text.ts';
import { retryAfterOf } from '../../network/http/request.ts';
import { withoutCodes } from '../../text/mask.ts';
import { type EgressDeps, openDispatcher, throughProxy } from './dispatcher.ts';
import type { SecretReader, SecretSource } from '../../system/secret.ts';
import type { SecretUrl } from '../../config/schema/secret.ts';

/** A service that takes a notification as one or more posts of JSON. */
interface PostingService extends Pick<MessageChannel, 'id' | 'minSeverity'> {
  /** What the log and the page call it. */
  readonly recipient: string;
  /** In order; the service must bear to be sent all of them again when one is not taken. @throws {Error} */
  readonly posts: (request: DeliveryRequest) => Promise<readonly JsonPost[]>;
}

export function createPostingChannel(
  { id, minSeverity, recipient, posts }: PostingService,
  deps: PostDeps,
): MessageChannel {
  void prepareToPost();
  return {
    kind: 'messages',
    id,
    recipients: [recipient],
    minSeverity,
    async deliver(request, signal) {
      const outcome = await postAll(request, signal);
      return request.recipients.map((name): RecipientOutcome => ({ recipient: name, ...outcome }));
    },
  };

  async function postAll(request: DeliveryRequest, signal: AbortSignal): Promise<PostOutcome> {
    let outcome: PostOutcome = { kind: 'sent', detail: '' };
    try {
      for (const post of await posts(request)) {
        outcome = await postJson(post, deps, signal);
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

export const TOKEN_IN_CLEAR = 'expected a URL that begins with "https://": the token would travel in clear';

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
