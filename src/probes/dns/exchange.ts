import { isIP } from 'node:net';
import type { SecureContext, TLSSocket } from 'node:tls';
import type { Clock } from '../../core/clock.ts';
import { openSocket, openTls } from '../connect.ts';
import type { Destination } from '../connect.ts';
import { DOH_PROTOCOLS, exchangeHttps } from './https.ts';
import type { DnsQuery } from './message.ts';
import type { DnsServer } from './server.ts';
import { exchangeStream } from './stream.ts';
import { exchangeUdp } from './udp.ts';
import type { BelievableReading } from './udp.ts';

/** RFC 7858 §3.1 has no ALPN; `dot` is registered and some servers tell protocols apart by it. */
const DOT_PROTOCOLS: readonly string[] = ['dot'];

export interface ExchangeTools {
  readonly trust: SecureContext;
  readonly clock: Clock;
  /** Called for each time the question goes out; the change to TCP after a truncated answer is not counted. */
  readonly onSend: () => void;
  readonly signal: AbortSignal;
}

/** One question and its answer, over the server's transport. @throws what ended it */
export async function exchangeWith(server: DnsServer, query: DnsQuery, tools: ExchangeTools): Promise<BelievableReading> {
  const { clock, onSend, signal } = tools;
  if (server.kind === 'udp') {
    const reading = await exchangeUdp({ server: server.at, query, clock, onSend }, signal);
    return reading.kind === 'truncated' ? exchangeTcp(server.at, query, signal) : reading;
  }
  onSend();
  switch (server.kind) {
    case 'tcp':
      return exchangeTcp(server.at, query, signal);
    case 'tls':
      return exchangeStream(await openVerified(server, DOT_PROTOCOLS, tools), query, signal);
    case 'https':
      return exchangeHttps(await openVerified(server, DOH_PROTOCOLS, tools), server.url, query, signal);
  }
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
      rejectUnauthorized: true,
      ALPNProtocols: [...protocols],
      // SNI carries names only (RFC 6066 §3); the certificate is checked against the address then.
      ...(isIP(host) === 0 ? { servername: host } : { host }),
    },
    signal,
  );
}
