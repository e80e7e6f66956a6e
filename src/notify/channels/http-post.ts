import { addAbortSignal, type Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { deadline } from '../../system/clock.ts';
import type { Clock, Millis } from '../../core/clock.ts';
import { visibleText } from '../../core/visible-text.ts';
import { withoutSecrets } from '../../core/without-secrets.ts';
import { retryAfterOf } from '../../network/http/retry-after.ts';
import { withoutCodes } from '../../text/mask.ts';
import { messageOf } from '../../text/message-of.ts';
import { type EgressDeps, openDispatcher, throughProxy } from './dispatcher.ts';
import type { RecipientOutcome } from './channel.ts';

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

export interface PostDeps extends EgressDeps {
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
async function firstBytes(body: Readable, clock: Clock, signal: AbortSignal): Promise<string> {
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
