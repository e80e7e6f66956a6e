import { Client, errors } from 'undici';
import { deadline } from '../../clock.ts';
import type { Millis } from '../../core/clock.ts';
import type { HttpOutcome } from '../../core/observation.ts';
import { recogniseBlockPage } from '../../core/block-page.ts';
import type { HostPort } from '../../config/config.ts';
import type { ProbeContext } from '../context.ts';
import { abortError, failureFrom, failureReason, ProbeError } from '../../failure.ts';
import { authority } from './dial.ts';
import type { TlsSession } from './handshake.ts';
import { firstHeader, parseHttpDate, proxyTraces, serverName } from './response-headers.ts';
import type { Headers } from './response-headers.ts';
import { alertName, demandsCertificate } from './tls-alert.ts';

const MAX_HEADER_BYTES = 16 * 1024;
const MAX_BODY_BYTES = 64 * 1024;

export interface RequestOptions {
  readonly target: HostPort;
  readonly method: 'GET' | 'HEAD';
  readonly path: string;
  readonly limit: Millis;
}

/**
 * Sends one HTTP/1.1 request over the connection that was captured, so that both looked at the same peer. Redirects are not
 * followed; any response is recorded. A body that stalls or breaks off does not undo the response. The connection is closed then.
 */
export async function sendRequest(session: TlsSession, options: RequestOptions, ctx: ProbeContext): Promise<HttpOutcome> {
  const started = ctx.clock.elapsed();
  using limit = deadline(ctx.clock, options.limit, ctx.signal);
  const client = new Client(`https://${authority(options.target)}`, {
    connect: (_options, callback) => {
      // Called back at once, undici 8.13 would never send the request.
      queueMicrotask(() => {
        const broken = brokenBefore(session);
        if (broken === null) callback(null, session.socket);
        else callback(broken, null);
      });
    },
    maxHeaderSize: MAX_HEADER_BYTES,
    // undici's own timers are coarse, and silent while a peer trickles: the deadline bounds everything.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  try {
    const response = await client.request({
      method: options.method,
      path: options.path,
      headers: { 'user-agent': 'ftm-watch', accept: '*/*' },
      reset: true,
      signal: limit.signal,
    });
    const receivedAt = ctx.clock.now();
    const durationMs = ctx.clock.elapsed() - started;
    const body = await readStart(response.body);
    return { ...responseFacts(response.statusCode, response.headers, body), receivedAt, durationMs };
  } catch (error) {
    const durationMs = ctx.clock.elapsed() - started;
    // undici destroys the socket to abort, so that only the signal tells what came first.
    const cause = limit.signal.aborted ? abortError(limit.signal) : withReason(session.error() ?? error);
    if (certificateDemanded(cause, session)) return { kind: 'client-certificate-demanded', durationMs };
    return failureFrom(cause, durationMs, ctx.signal);
  } finally {
    await client.destroy();
  }
}

/** undici 8.13 gives its parser's errors no code to tell them by. */
function withReason(error: unknown): unknown {
  return error instanceof errors.HTTPParserError ? new ProbeError('protocol', error.message, { cause: error }) : error;
}

/** What undici cannot see, since it happened before it began to listen; it would wait for an answer until the deadline. */
function brokenBefore({ socket, error }: TlsSession): Error | null {
  return error() ?? (socket.readableEnded ? new ProbeError('closed', 'The peer closed the connection before the request') : null);
}

/**
 * With TLS 1.3 the client is done before the server has judged its (missing) certificate, so that the refusal arrives in place of a
 * response (RFC 8446 §4.4.2.4): as an alert, or as a bare end of the connection that follows a request for a certificate.
 */
function certificateDemanded(error: unknown, { socket, certificateRequested }: TlsSession): boolean {
  if (demandsCertificate(alertName(error), certificateRequested)) return true;
  const reason = failureReason(error);
  return certificateRequested && socket.getProtocol() !== 'TLSv1.2' && (reason === 'reset' || reason === 'closed');
}

type ResponseFacts = Omit<Extract<HttpOutcome, { kind: 'response' }>, 'receivedAt' | 'durationMs'>;

function responseFacts(status: number, headers: Headers, body: string): ResponseFacts {
  return {
    kind: 'response',
    status,
    date: parseHttpDate(firstHeader(headers, 'date')),
    server: serverName(headers),
    proxyTraces: proxyTraces(headers),
    blockPage: recogniseBlockPage({ status, location: firstHeader(headers, 'location'), text: body }),
  };
}

/** The first 64 KiB, or what arrived of them in time: enough to recognise a page. */
async function readStart(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of body) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= MAX_BODY_BYTES) break;
    }
  } catch {
    // The server has answered; how its body ended is not what is asked here.
  }
  return Buffer.concat(chunks).subarray(0, MAX_BODY_BYTES).toString('latin1');
}
