import { isIP, type Socket } from 'node:net';
import type { SecureContext, TLSSocket } from 'node:tls';
import type { Clock, Millis } from '../../core/clock.ts';
import { openSocket, openTls, type Destination } from '../connect.ts';
import { exchangeUdp } from '../udp-exchange.ts';
import { encodeQuery, readReply, type BelievableReading, type DnsQuery } from './message.ts';
import { locate, type SystemLookup } from '../lookup.ts';
import { ProbeError, abortError } from '../failure.ts';

/** RFC 7858 §3.1 does not use ALPN, but some servers require the registered protocol ID `dot`. */
const DOT_PROTOCOLS: readonly string[] = ['dot'];

/**
 * Time after which an unanswered UDP query is sent once more. glibc waits 5 s, but this would take a whole round. The
 * second query has no EDNS, like glibc's first query, because some firewalls and old servers drop queries with EDNS
 * (RFC 6891 §6.2.2).
 */
const RETRANSMIT_AFTER: Millis = 1000;

interface ExchangeTools {
  readonly trust: SecureContext;
  readonly clock: Clock;
  /** Called each time the query is sent, except when it is repeated over TCP after a truncated answer. */
  readonly onSend: () => void;
  readonly onTruncated: () => void;
  readonly signal: AbortSignal;
}

export async function exchangeWith(
  server: DnsServer,
  query: DnsQuery,
  tools: ExchangeTools,
): Promise<BelievableReading> {
  const { onSend, signal } = tools;
  if (server.kind === 'udp') {
    const { reading, answered } = await askOverUdp(server.at, query, tools);
    if (reading.kind !== 'truncated') return reading;
    tools.onTruncated();
    return exchangeTcp(server.at, answered, signal);
  }
  onSend();
  switch (server.kind) {
    case 'tcp':
      return exchangeTcp(server.at, query, signal);
    case 'tls':
      return exchangeStream(await openVerified(server, DOT_PROTOCOLS, tools), query, signal);
    case 'https': {
      // The HTTP/2 client is loaded on demand, because it takes 20 MB of memory and is rarely needed. The module is
      // loaded before connecting. Otherwise, the connection would have no error listener while the module is loading.
      const { DOH_PROTOCOLS, exchangeHttps } = await import('./https.ts');
      return exchangeHttps(await openVerified(server, DOH_PROTOCOLS, tools), server.url, query, signal);
    }
  }
}

/** @returns the answer and its query; the answer is assumed to belong to the last query that was sent */
async function askOverUdp(
  at: Destination,
  query: DnsQuery,
  { clock, onSend, signal }: ExchangeTools,
): Promise<{ readonly reading: BelievableReading; readonly answered: DnsQuery }> {
  const sent: DnsQuery[] = [];
  const reading = await exchangeUdp(
    {
      server: at,
      clock,
      retransmitAfter: RETRANSMIT_AFTER,
      packet: () => {
        onSend();
        const next = sent.length === 0 ? query : encodeQuery(query, false);
        sent.push(next);
        return next.bytes;
      },
      read: (bytes) => {
        const seen = readReply(bytes, query);
        return seen.kind === 'foreign' ? null : seen;
      },
    },
    signal,
  );
  return { reading, answered: sent.at(-1) ?? query };
}

async function exchangeTcp(at: Destination, query: DnsQuery, signal: AbortSignal): Promise<BelievableReading> {
  return exchangeStream(await openSocket(at, signal), query, signal);
}

async function openVerified(
  { at, host }: { readonly at: Destination; readonly host: string },
  protocols: readonly string[],
  { trust, signal }: ExchangeTools,
): Promise<TLSSocket> {
  return openTls(
    await openSocket(at, signal),
    {
      secureContext: trust,
      ALPNProtocols: [...protocols],
      // SNI is sent only for names (RFC 6066 §3). Without SNI, Node checks the certificate against the address.
      ...(isIP(host) === 0 ? { servername: host } : { host }),
    },
    signal,
  );
}

const HTTPS_PORT = 443;

export type NamedResolver =
  | { readonly kind: 'udp' | 'tcp' | 'tls'; readonly host: string; readonly port: number }
  | { readonly kind: 'https'; readonly url: string };

export type DnsServer =
  | { readonly kind: 'udp' | 'tcp'; readonly at: Destination }
  /** A server for DNS over TLS. The certificate must be valid for `host`, a host name or IP address. */
  | { readonly kind: 'tls'; readonly at: Destination; readonly host: string }
  | { readonly kind: 'https'; readonly at: Destination; readonly host: string; readonly url: URL };

/** @throws {ProbeError} `name-not-resolved` when the lookup fails */
export async function serverOf(
  resolver: NamedResolver,
  system: SystemLookup,
  sourceAddress: string | null,
  signal: AbortSignal,
): Promise<DnsServer> {
  const find = (host: string, port: number): Promise<Destination> =>
    locate({ host, port, sourceAddress }, system, signal);
  switch (resolver.kind) {
    case 'udp':
    case 'tcp':
      return { kind: resolver.kind, at: await find(resolver.host, resolver.port) };
    case 'tls':
      return { kind: 'tls', at: await find(resolver.host, resolver.port), host: resolver.host };
    case 'https': {
      const url = new URL(resolver.url);
      const host = withoutBrackets(url.hostname);
      return { kind: 'https', at: await find(host, url.port === '' ? HTTPS_PORT : Number(url.port)), host, url };
    }
  }
}

function withoutBrackets(host: string): string {
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
}

const LENGTH_BYTES = 2;

/** Maximum number of unrelated messages from a DNS server. If the server sends more, the exchange fails. */
const MAX_FOREIGN = 4;

/**
 * Sends a query over a connected TCP or TLS socket (RFC 1035 §4.2.2, RFC 7858 §3.3) and destroys the socket afterwards.
 * Only the signal limits the time.
 */
export function exchangeStream(socket: Socket, query: DnsQuery, signal: AbortSignal): Promise<BelievableReading> {
  return new Promise((resolve, reject) => {
    const frames = new Frames();
    let foreign = 0;

    function finish(): void {
      signal.removeEventListener('abort', onAbort);
      socket.off('data', onData).off('end', onEnd).off('close', onEnd).off('error', fail);
      socket.destroy();
    }
    function fail(error: Error): void {
      finish();
      reject(error);
    }
    function onAbort(): void {
      fail(abortError(signal));
    }
    function onEnd(): void {
      fail(new ProbeError('closed', 'The server closed the connection without answering'));
    }
    function onData(chunk: Buffer): void {
      frames.push(chunk);
      for (let frame = frames.shift(); frame !== null; frame = frames.shift()) {
        const reading = readReply(frame, query);
        if (reading.kind === 'truncated')
          return fail(
            new ProbeError(
              'protocol',
              'The answer over TCP is marked as truncated, although TCP does not limit its size',
            ),
          );
        if (reading.kind !== 'foreign') {
          finish();
          return resolve(reading);
        }
        foreign += 1;
        if (foreign >= MAX_FOREIGN)
          return fail(new ProbeError('protocol', `The server did not answer the question: ${reading.why}`));
      }
    }

    if (signal.aborted) return onAbort();
    if (socket.destroyed) return onEnd();
    signal.addEventListener('abort', onAbort, { once: true });
    socket.on('data', onData).once('end', onEnd).once('close', onEnd).once('error', fail);
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt16BE(query.bytes.length);
    // The message is sent in one segment (RFC 7766 §8), because some servers fail if the length arrives separately.
    socket.write(Buffer.concat([length, query.bytes]));
  });
}

/** Splits a byte stream into length-prefixed messages. */
class Frames {
  #pending: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): void {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
  }

  shift(): Buffer | null {
    if (this.#pending.length < LENGTH_BYTES) return null;
    const end = LENGTH_BYTES + this.#pending.readUInt16BE(0);
    if (this.#pending.length < end) return null;
    const frame = this.#pending.subarray(LENGTH_BYTES, end);
    this.#pending = this.#pending.subarray(end);
    return frame;
  }
}
