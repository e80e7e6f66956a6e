import type { ChannelId, ChannelsConfig } from '../../config/schema/channels.ts';
import { messageOf } from '../../text/message-of.ts';
import type { ChannelDeps, CreateChannels, DeliveryRequest, MessageChannel, RecipientOutcome } from './channel.ts';
import type { Millis } from '../../core/clock.ts';
import { visibleText, withoutSecrets } from '../../core/visible-text.ts';
import { type EgressDeps, loadHttpClient, requestOnce } from '../../network/http/egress.ts';
import { withoutCodes } from '../../text/mask.ts';
import { placeOf, type SecretReader, type SecretSource } from '../../system/secret.ts';
import { inClear, type SecretUrl } from '../../config/schema/secret.ts';
import { isReadableOnTheWay } from '../../config/schema/endpoints.ts';
import { type HeaderSources, readHeaders } from '../../network/http/secret-headers.ts';

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
export function postingChannels<Service extends ServiceConfig>(
  id: ChannelId,
  servicesIn: (notify: ChannelsConfig) => readonly Service[],
  posts: (service: Service, request: DeliveryRequest, deps: ChannelDeps) => Promise<readonly OwnPost[]>,
): CreateChannels {
  return (notify, deps) =>
    servicesIn(notify).map((service) =>
      createPostingChannel(id, service, deps, (request) => posts(service, request, deps)),
    );
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
  void loadHttpClient();
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
  /** If the body of the response contains this text, the message was not accepted, although the status is 2xx. */
  readonly errorText?: string | null;
  /** Removed from the outcome. For example, an error page can quote the secret path. */
  readonly secrets: readonly string[];
  /** If null, Node's built-in CAs are trusted. */
  readonly caFile: string | null;
}

/** `deferred`: another attempt may succeed. `rejected`: the same request would fail again. */
export type PostOutcome = Omit<RecipientOutcome, 'recipient'>;

const POST_DEADLINE: Millis = 15_000;
/**
 * Status codes that can be temporary (RFC 9110 §15.5, RFC 6585 §4). For example, 401 and 403 are no longer returned
 * once the token has been corrected.
 */
const PASSING: ReadonlySet<number> = new Set([401, 403, 404, 408, 409, 421, 423, 425, 429]);

/** Sends one POST request over a separate connection. Does not follow redirects. Never throws. */
export async function postJson(post: JsonPost, deps: EgressDeps, signal: AbortSignal): Promise<PostOutcome> {
  const { url, caFile, secrets, authorization, errorText = null } = post;
  const headers = {
    'content-type': 'application/json',
    ...post.headers,
    ...(authorization === null ? {} : { authorization }),
  };
  const request = { method: 'POST', headers, body: JSON.stringify(post.body) } as const;
  try {
    const reply = await requestOnce({ url, caFile, limit: POST_DEADLINE, request }, deps, signal);
    const isError = errorText !== null && reply.text.includes(errorText);
    const outcome = outcomeOf(reply.status, withoutCodes(withoutSecrets(reply.text, secrets)), isError);
    return outcome.kind === 'deferred' && reply.retryAfter !== null
      ? { ...outcome, retryAfter: reply.retryAfter }
      : outcome;
  } catch (error) {
    return { kind: 'deferred', detail: visibleText(messageOf(error), 300) };
  }
}

function outcomeOf(status: number, text: string, isError: boolean): PostOutcome {
  const detail = visibleText(`HTTP ${String(status)}${text === '' ? '' : `: ${text}`}`, 300);
  if (status >= 200 && status < 300) return { kind: isError ? 'deferred' : 'sent', detail };
  return { kind: status >= 400 && status < 500 && !PASSING.has(status) ? 'rejected' : 'deferred', detail };
}

/** A user name with a password (RFC 7617), a token (RFC 6750), or neither. */
interface Credentials {
  readonly user: string | null;
  readonly password: SecretSource | null;
  readonly token: SecretSource | null;
}

/**
 * Returns the parts of a request that depend on secrets. The secrets are read again for each request.
 * @throws {Error} if the URL or another secret cannot be used, or if a secret would be sent unencrypted
 */
export async function targetOf(
  service: { readonly url: SecretUrl } & Partial<HeaderSources>,
  readSecret: SecretReader,
): Promise<Pick<JsonPost, 'url' | 'authorization' | 'headers' | 'secrets'>> {
  const { token = null, headers = null } = service;
  const url = await readSecretUrl(service.url, readSecret);
  const sent = token === null ? headers && 'headers' : 'token';
  if (sent !== null && isReadableOnTheWay(url)) throw new Error(inClear(sent));
  const own = await readHeaders({ headers, token }, readSecret);
  const { authorization, secrets } = await authorizationOf({ user: null, password: null, token }, readSecret);
  return { url, authorization, headers: own.headers, secrets: [...secrets, ...own.secrets, ...secretPartsOf(url)] };
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

/** Returns everything after the host, with and without the query. */
export function secretPartsOf(url: string): readonly string[] {
  const { pathname, search } = new URL(url);
  return pathname === '/' && search === '' ? [] : [`${pathname}${search}`, ...(pathname === '/' ? [] : [pathname])];
}
