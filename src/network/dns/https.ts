import type { TLSSocket } from 'node:tls';
import { Client, type Dispatcher } from 'undici';
import type { Millis } from '../../core/clock.ts';
import { ProbeError } from '../failure.ts';
import { readReply, type BelievableReading, type DnsQuery } from './message.ts';

/** Media type of DNS messages (RFC 8484 §6). */
const MEDIA_TYPE = 'application/dns-message';

/** Maximum length of a DNS message. undici rejects longer bodies. */
const MAX_BODY_BYTES = 65_535;

/** Timeout for undici, used in case the caller's time limit fails. undici's own timers are imprecise. */
const UNDICI_TIMEOUT: Millis = 10_000;

/** HTTP/2 is first, because public resolvers are retiring HTTP/1.1 (see also RFC 8484 §5.2). */
export const DOH_PROTOCOLS: readonly string[] = ['h2', 'http/1.1'];

/** Sends a POST request (RFC 8484 §4.1) over a connected TLS socket, and destroys the socket afterwards. */
export async function exchangeHttps(
  socket: TLSSocket,
  url: URL,
  query: DnsQuery,
  signal: AbortSignal,
): Promise<BelievableReading> {
  const client = new Client(url.origin, {
    connect: singleUse(socket),
    allowH2: true,
    maxResponseSize: MAX_BODY_BYTES,
    headersTimeout: UNDICI_TIMEOUT,
    bodyTimeout: UNDICI_TIMEOUT,
  });
  try {
    const response = await client.request({
      method: 'POST',
      path: `${url.pathname}${url.search}`,
      headers: { accept: MEDIA_TYPE, 'content-type': MEDIA_TYPE },
      body: query.bytes,
      signal,
    });
    const reading = readReply(await bodyOf(response), query);
    if (reading.kind === 'foreign')
      throw new ProbeError('protocol', `The server did not answer the question: ${reading.why}`);
    return reading;
  } finally {
    await client.destroy().catch(() => {});
    socket.destroy();
  }
}

async function bodyOf(response: Dispatcher.ResponseData): Promise<Buffer> {
  const type = String(response.headers['content-type'] ?? '');
  if (response.statusCode !== 200) {
    throw new ProbeError(
      'rejected',
      `The server answered with HTTP status ${String(response.statusCode)}, expected 200`,
    );
  }
  if (type.split(';')[0]?.trim().toLowerCase() !== MEDIA_TYPE) {
    throw new ProbeError(
      'protocol',
      `The server answered with content type "${type.slice(0, 80)}", expected "${MEDIA_TYPE}"`,
    );
  }
  return Buffer.from(await response.body.arrayBuffer());
}

type Connector = Extract<Client.Options['connect'], (...args: never[]) => unknown>;

/**
 * Otherwise, undici would resolve the name and connect on its own, without the probe's time limits. The socket is handed
 * over after undici's call has returned, because undici does not send a request over HTTP/1.1 that it queued during the
 * call. No event can occur before a microtask, so the socket is never without an error listener.
 */
function singleUse(socket: TLSSocket): Connector {
  let used = false;
  return (_options, callback) => {
    if (used || socket.destroyed) {
      callback(new ProbeError('closed', 'The server closed the connection without answering'), null);
      return;
    }
    used = true;
    queueMicrotask(() => callback(null, socket));
  };
}
