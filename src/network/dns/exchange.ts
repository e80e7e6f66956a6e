import { isIP } from 'node:net';
import type { SecureContext, TLSSocket } from 'node:tls';
import type { Clock, Millis } from '../../core/clock.ts';
import { openSocket, openTls, type Destination } from '../connect.ts';
import { exchangeUdp } from '../udp-exchange.ts';
import { encodeQuery, readReply, type BelievableReading, type DnsQuery } from './message.ts';
import type { DnsServer } from './server.ts';
import { exchangeStream } from './stream.ts';

/** RFC 7858 §3.1 has no ALPN; `dot` is registered and some servers tell protocols apart by it. */
const DOT_PROTOCOLS: readonly string[] = ['dot'];

/**
 * A lost packet is repeated once, as stub resolvers do; glibc waits 5 s for it, which would be a whole round. It is
 * repeated without EDNS, as glibc asks from the start: some firewalls and old servers drop what has it (RFC 6891 §6.2.2).
 */
const RETRANSMIT_AFTER: Millis = 1000;

export interface ExchangeTools {
  readonly trust: SecureContext;
  readonly clock: Clock;
  /** Called for each time the question goes out; the change to TCP after a truncated answer is not counted. */
  readonly onSend: () => void;
  /** Called when an answer came over UDP that is cut short. */
  readonly onTruncated: () => void;
  readonly signal: AbortSignal;
}

/** One question and its answer, over the server's transport. @throws what ended it */
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
      // Its HTTP/2 costs 20 MB of memory, which few need. Loaded before the connection: meanwhile nobody would hear its
      // errors.
      const { DOH_PROTOCOLS, exchangeHttps } = await import('./https.ts');
      return exchangeHttps(await openVerified(server, DOH_PROTOCOLS, tools), server.url, query, signal);
    }
  }
}

/** @returns the question that was answered too, as far as the answer tells: the last one that was sent */
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
      // SNI carries names only (RFC 6066 §3); the certificate is checked against the address then.
      ...(isIP(host) === 0 ? { servername: host } : { host }),
    },
    signal,
  );
}
