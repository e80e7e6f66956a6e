import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { authority, type HostPort } from '../../core/addresses.ts';
import { deadline } from '../../system/clock.ts';
import type { Millis, EpochMs } from '../../core/clock.ts';
import type { HttpOutcome } from '../../core/observation.ts';
import type { BlockPage, BlockPageCandidate } from '../../core/block-page.ts';
import type { ProbeContext } from '../context.ts';
import { abortError, errorCode, failureFrom, failureReason, ProbeError, printable } from '../failure.ts';
import { responseTo } from './response-to.ts';
import { type TlsSession, readableText, alertName, demandsCertificate } from '../tls/handshake.ts';

const MAX_HEADER_BYTES = 16 * 1024;
const MAX_BODY_BYTES = 64 * 1024;
/** Maximum number of bytes in a response body that are searched for readable text. */
const MAX_READ_BYTES = 16 * 1024;

interface RequestOptions {
  readonly target: HostPort;
  readonly method: 'GET' | 'HEAD';
  readonly path: string;
  readonly limit: Millis;
  readonly recognisePage: RecognisePage;
}

export type RecognisePage = (candidate: BlockPageCandidate) => BlockPage | null;

/**
 * Sends the request over the connection whose certificate was captured, so that both results come from the same peer.
 * Redirects are not followed. The connection is closed afterwards.
 */
export async function sendRequest(
  session: TlsSession,
  options: RequestOptions,
  ctx: ProbeContext,
): Promise<HttpOutcome> {
  const started = ctx.clock.elapsed();
  using limit = deadline(ctx.clock, options.limit, ctx.signal);
  try {
    const broken = brokenBefore(session);
    if (broken !== null) throw broken;
    const response = await responseTo(requestOver(session, options, limit.signal));
    const receivedAt = ctx.clock.now();
    const durationMs = ctx.clock.elapsed() - started;
    const body = await readStart(response);
    return { ...responseFacts(response, body, options.recognisePage), receivedAt, durationMs };
  } catch (error) {
    const durationMs = ctx.clock.elapsed() - started;
    // Node aborts a request by destroying the socket. The signal indicates whether the request was aborted or failed
    // for another reason.
    const cause = limit.signal.aborted ? abortError(limit.signal) : withReason(session.error() ?? error);
    if (certificateDemanded(cause, session)) return { kind: 'client-certificate-demanded', durationMs };
    return failureFrom(cause, durationMs, ctx.signal);
  }
}

function requestOver(
  { socket }: TlsSession,
  { target, method, path }: RequestOptions,
  signal: AbortSignal,
): ClientRequest {
  return httpRequest({
    method,
    path,
    headers: {
      // The default port 443 is omitted in the `Host` header, as in a URL.
      host: authority(target).replace(/:443$/u, ''),
      connection: 'close',
      'user-agent': 'ftm-watch',
      accept: '*/*',
    },
    createConnection: () => socket,
    maxHeaderSize: MAX_HEADER_BYTES,
    signal,
  });
}

/** Converts the HTTP parser's error to `closed` if the connection ended within the header. */
function withReason(error: unknown): unknown {
  if (errorCode(error) !== 'HPE_INVALID_EOF_STATE') return error;
  return new ProbeError('closed', 'The peer closed the connection in the middle of the response', { cause: error });
}

/**
 * Returns an error that occurred before node:http was attached to the socket. Without this check, node:http would wait
 * for a response until the time limit.
 */
function brokenBefore({ socket, error }: TlsSession): Error | null {
  return (
    error() ??
    (socket.readableEnded
      ? new ProbeError('closed', 'The peer closed the connection before the request was sent')
      : null)
  );
}

/**
 * Over TLS 1.3, the client's handshake ends before the server detects that the certificate is missing. The server then
 * rejects the client instead of sending a response (RFC 8446 §4.4.2.4). The server either sends an alert, or closes the
 * connection after requesting a certificate.
 */
function certificateDemanded(error: unknown, { protocol, certificateRequested }: TlsSession): boolean {
  if (demandsCertificate(alertName(error), certificateRequested)) return true;
  const reason = failureReason(error);
  return certificateRequested && protocol === 'TLSv1.3' && (reason === 'reset' || reason === 'closed');
}

type ResponseFacts = Omit<Extract<HttpOutcome, { kind: 'response' }>, 'receivedAt' | 'durationMs'>;

function responseFacts(
  response: IncomingMessage,
  { text, words, bytes }: BodyStart,
  recognise: RecognisePage,
): ResponseFacts {
  const { statusCode: status = 0, headersDistinct: headers, httpVersion: version } = response;
  return {
    kind: 'response',
    status,
    ...headerFacts(headers),
    blockPage: recognise({ status, location: firstHeader(headers, 'location'), text, words }),
    framing: { version, contentLength: lengthIn(firstHeader(headers, 'content-length')), bodyBytes: bytes },
  };
}

function lengthIn(header: string | null): number | null {
  return header !== null && /^\d{1,15}$/u.test(header) ? Number(header) : null;
}

interface BodyStart {
  readonly text: string;
  readonly words: string;
  /** Size of the complete response body in bytes, or null if the body is incomplete. */
  readonly bytes: number | null;
}

async function readStart(body: AsyncIterable<Uint8Array>): Promise<BodyStart> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  let isWhole = true;
  try {
    for await (const chunk of body) {
      chunks.push(chunk);
      size += chunk.length;
      if (size < MAX_BODY_BYTES) continue;
      isWhole = false;
      break;
    }
  } catch {
    isWhole = false;
    // The server has responded, so an incomplete body is not an error.
  }
  const start = Buffer.concat(chunks).subarray(0, MAX_BODY_BYTES);
  return {
    text: start.toString('latin1'),
    words: readableText(start.subarray(0, MAX_READ_BYTES)),
    bytes: isWhole ? size : null,
  };
}

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

const MAX_SERVER = 128;
const MAX_TRACE = 160;
const MAX_TRACES = 16;

/** Date formats IMF-fixdate and asctime-date (RFC 9110 §5.6.7). `Date.parse` would accept `1` as a date. */
const IMF_FIXDATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/u;
const ASCTIME_DATE = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/u;

/**
 * Header fields that only forward proxies and filters add, from mitmengine's list
 * (reference_fingerprints/mitmengine/badheader.txt) and from Squid. Because CDNs also add `via`, its value is
 * displayed.
 */
const TRACE_NAMES: ReadonlySet<string> = new Set([
  'proxy-connection',
  'x-bluecoat-via',
  'x-iwsaas-via',
  'x-mwg-via',
  'x-sophos-wsa-clientip',
  'x-squid-error',
  'x-cache-lookup',
]);

function firstHeader(headers: Headers, name: string): string | null {
  const value = headers[name];
  return (typeof value === 'string' ? value : value?.[0]) ?? null;
}

export function parseHttpDate(value: string | null): EpochMs | null {
  if (value === null) return null;
  if (IMF_FIXDATE.test(value)) return instant(value);
  // The asctime format does not contain a time zone. The time is in GMT, but `Date.parse` would use the local time
  // zone.
  return ASCTIME_DATE.test(value) ? instant(`${value} GMT`) : null;
}

/** @internal */
export function headerFacts(headers: Headers): Pick<ResponseFacts, 'date' | 'server' | 'proxyTraces'> {
  const server = firstHeader(headers, 'server');
  return {
    date: parseHttpDate(firstHeader(headers, 'date')),
    server: server === null ? null : printable(server, MAX_SERVER),
    proxyTraces: proxyTraces(headers),
  };
}

function proxyTraces(headers: Headers): readonly string[] {
  return Object.keys(headers)
    .filter((name) => isTrace(name, headers))
    .toSorted()
    .slice(0, MAX_TRACES)
    .map((name) => printable(name === 'via' ? `via: ${firstHeader(headers, 'via') ?? ''}` : name, MAX_TRACE));
}

function isTrace(name: string, headers: Headers): boolean {
  if (name === 'via' || TRACE_NAMES.has(name) || name.startsWith('zsa-')) return true;
  // CDNs also send `x-cache`, so only the value from Squid is reported.
  return name === 'x-cache' && /squid/iu.test(firstHeader(headers, name) ?? '');
}

function instant(text: string): EpochMs | null {
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : at;
}

/** A date is ignored, because the server's clock may differ from the local clock (RFC 9110 §10.2.3). */
export function retryAfterOf(header: string | string[] | undefined): Millis | null {
  return typeof header === 'string' && /^\d{1,6}$/u.test(header) ? Number(header) * 1000 : null;
}
