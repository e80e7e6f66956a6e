import type { Dispatcher } from 'undici';
import { deadline } from '../../system/clock.ts';
import type { Clock, Millis } from '../../core/clock.ts';
import { createSecretFilter } from '../../core/without-secrets.ts';
import { ProbeError } from '../failure.ts';

/** One request. */
export type JsonRequest = RequestHead &
  ({ readonly method: 'GET' } | { readonly method: 'POST'; readonly body: string });

interface RequestHead {
  /** Begins with a slash and may carry a query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** What of the request must not come back in the texts of the answer, which are shown to people. */
  readonly secrets: readonly string[];
}

/** The interface answered. A status other than 200 is an answer too, judged by the caller. */
export type JsonReply =
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter: Millis | null };

export interface ExchangeContext {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** From the start of the connection to the last byte of the body: a peer that trickles does not get around it. */
const REQUEST_TIMEOUT: Millis = 10_000;

/** No answer of these interfaces comes near it. */
const MAX_BODY_BYTES: number = 4 * 1024 * 1024;

/**
 * Sends one request and reads one JSON answer: bounded in time and size, no redirect followed, nothing repeated.
 * @throws what Node or undici threw, `ProbeError` for an answer that is not JSON, `DeadlineError` after
 * `REQUEST_TIMEOUT`
 */
export async function exchangeJson(
  agent: Dispatcher,
  origin: string,
  request: JsonRequest,
  context: ExchangeContext,
): Promise<JsonReply> {
  using limit = deadline(context.clock, REQUEST_TIMEOUT, context.signal);
  try {
    const response = await agent.request({
      origin,
      path: request.path,
      method: request.method,
      headers: { accept: 'application/json', 'user-agent': 'ftm-watch', ...request.headers },
      body: request.method === 'POST' ? request.body : null,
      signal: limit.signal,
    });
    if (response.statusCode !== 200) {
      response.body.on('error', () => undefined).destroy();
      return { kind: 'status', status: response.statusCode, retryAfter: retryAfterOf(response.headers['retry-after']) };
    }
    return {
      kind: 'json',
      value: parseJson(await readBody(response), response.headers['content-type'], request.secrets),
    };
  } catch (error) {
    // undici reports an abort in several ways; the signal's own reason says whether the time was up.
    if (limit.signal.aborted && limit.signal.reason instanceof Error) throw limit.signal.reason;
    throw error;
  }
}

async function readBody(response: Dispatcher.ResponseData): Promise<string> {
  const encoding = response.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    response.body.on('error', () => undefined).destroy();
    throw new ProbeError('protocol', 'Cannot read the answer: expected no content encoding, since none was offered');
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop destroys the body, and with it the connection.
  for await (const chunk of response.body) {
    if (!(chunk instanceof Uint8Array)) continue;
    size += chunk.length;
    if (size > MAX_BODY_BYTES)
      throw new ProbeError('protocol', `Cannot read the answer: expected at most ${String(MAX_BODY_BYTES)} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string, contentType: string | string[] | undefined, secrets: readonly string[]): unknown {
  const filter = createSecretFilter(secrets);
  try {
    const value: unknown = JSON.parse(text, (_, item: unknown) => (typeof item === 'string' ? filter(item) : item));
    return value;
  } catch (error) {
    // The parser's message quotes the text, which may hold a secret.
    const isHtml = /^\s*</u.test(text) || String(contentType).includes('html');
    throw new ProbeError(
      'protocol',
      `Cannot read the answer: expected JSON, got ${isHtml ? 'a web page' : 'something else'}`,
      {
        cause: error instanceof SyntaxError ? undefined : error,
      },
    );
  }
}

/** `Retry-After` in seconds (RFC 9110 §10.2.3); the form with a date is left out, since the clocks may differ. */
function retryAfterOf(header: string | string[] | undefined): Millis | null {
  return typeof header === 'string' && /^\d{1,6}$/u.test(header) ? Number(header) * 1000 : null;
}
