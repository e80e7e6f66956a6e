import type { Dispatcher } from 'undici';
import { deadline } from '../../system/clock.ts';
import type { Clock, Millis } from '../../core/clock.ts';
import { ProbeError } from '../failure.ts';
import { parseHttpDate } from '../http/response-headers.ts';
import { retryAfterOf } from '../http/retry-after.ts';
import { cleanJson } from './clean-json.ts';
import type { ConnectorContext } from './context.ts';
import { readBody } from './read-body.ts';

/** One request. */
export type JsonRequest = RequestHead &
  ({ readonly method: 'GET' } | { readonly method: 'POST'; readonly body: string });

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

export type ExchangeContext = Pick<ConnectorContext, 'clock' | 'signal' | 'ownTurn' | 'answerLimit'>;

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
