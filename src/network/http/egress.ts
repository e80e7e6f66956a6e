import { addAbortSignal, type Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { authority, type HostPort, isLoopbackUrl } from '../../core/addresses.ts';
import type { Clock, Millis } from '../../core/clock.ts';
import { deadline } from '../../system/clock.ts';
import type { SecretReader, SecretSource } from '../../system/secret.ts';
import { messageOf } from '../../text/message-of.ts';
import { readAuthorities } from '../tls/secure-context.ts';
import { retryAfterOf } from './request.ts';

/** How ftm-watch's own requests leave this machine. Probes don't use these settings. */
export interface EgressDeps {
  /** `notify.proxy`. If null, the proxy is taken from the environment. */
  readonly proxy: HttpProxy | null;
  /** HTTPS_PROXY, HTTP_PROXY and NO_PROXY are read in lower or upper case. */
  readonly env: NodeJS.ProcessEnv;
  readonly readSecret: SecretReader;
  readonly clock: Clock;
}

interface HttpProxy extends HostPort {
  readonly user: string | null;
  readonly password: SecretSource | null;
}

/** In bytes. What other networks see is a few kilobytes long. */
const MAX_RESPONSE: number = 1024 * 1024;
/** The time to wait for the response body after the status has been received. */
const TEXT_DEADLINE: Millis = 1_000;
/**
 * Loads the HTTP client, which needs 20 MB, when a channel that uses it is created, because there may be no free file
 * descriptor during the first incident. Never rejects. If loading fails, each request tries again.
 */
export async function loadHttpClient(): Promise<void> {
  await import('undici').catch(() => undefined);
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
    dispatcher = await openDispatcher(url, caFile === null ? null : (await readAuthorities(caFile)).pems, deps);
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

/** Longer than what is shown, so that secrets at the end are recognized and removed. */
const SHOWN_BYTES = 8_192;

/**
 * Returns the start of a response body, which is shown to people as an explanation. If the body arrives late or never
 * ends, returns what has arrived instead of failing, because an accepted notification must not be sent again.
 */
async function firstBytes(body: Readable, clock: Clock, signal: AbortSignal): Promise<string> {
  using limit = deadline(clock, TEXT_DEADLINE, signal);
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of addAbortSignal(limit.signal, body)) {
      if (!(chunk instanceof Uint8Array)) continue;
      chunks.push(chunk);
      length += chunk.length;
      if (length >= SHOWN_BYTES) break;
    }
  } catch {
    // The body is optional, because the status code is already known.
  }
  return Buffer.concat(chunks).subarray(0, SHOWN_BYTES).toString('utf8').trim();
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  return messageOf(error.message === '' && error.cause instanceof Error ? error.cause : error) || error.name;
}

/**
 * Requests to loopback addresses never use a proxy. A longer response than 1 MB fails. The caller must destroy the
 * dispatcher.
 * @param authorities the CAs to trust, in PEM format; if null, Node's default CAs, to which the environment can add
 * others, are trusted
 * @throws {Error} if the proxy's password cannot be read, or if a variable does not contain a URL
 */
export async function openDispatcher(
  url: string,
  authorities: readonly string[] | null,
  deps: EgressDeps,
): Promise<Dispatcher> {
  const { Agent, EnvHttpProxyAgent } = await import('undici');
  const tls = authorities === null ? {} : { ca: [...authorities], rejectUnauthorized: true };
  const options = { connect: tls, pipelining: 0, maxResponseSize: MAX_RESPONSE };
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
