import { randomInt } from 'node:crypto';
import { isIP, type Socket } from 'node:net';
import type { SecureContext, TLSSocket } from 'node:tls';
import type { HostPort } from '../../core/addresses.ts';
import type { Clock, Millis } from '../../core/clock.ts';
import { openSocket, openTls, type Destination } from '../connect.ts';
import { exchangeUdp } from '../udp-exchange.ts';
import {
  type BelievableReading,
  type DnsQuery,
  type DnsReading,
  encodeQuery,
  isDnsName,
  readReply,
} from './message.ts';
import { locate, type SystemLookup } from '../lookup.ts';
import { ProbeError } from '../failure.ts';
import { Wire } from '../wire.ts';

/** RFC 7858 §3.1 does not use ALPN, but some servers require the registered protocol ID `dot`. */
const DOT_PROTOCOLS: readonly string[] = ['dot'];

/**
 * Time after which an unanswered UDP query is sent once more. glibc waits 5 s, but this would take a whole round. The
 * second query has no EDNS, like glibc's first query, because some firewalls and old servers drop queries with EDNS
 * (RFC 6891 §6.2.2).
 */
const RETRANSMIT_AFTER: Millis = 1000;

interface QueryTools {
  readonly system: SystemLookup;
  readonly sourceAddress: string | null;
  /** Verifies resolvers that use TLS or HTTPS. */
  readonly trust: SecureContext;
  readonly clock: Clock;
  /** Called each time the query is sent, except when it is repeated over TCP after a truncated answer. */
  readonly onSend: () => void;
  readonly onTruncated: () => void;
  readonly signal: AbortSignal;
}

type Question = Pick<DnsQuery, 'name' | 'type'>;
type DnsAnswer = Extract<DnsReading, { kind: 'answer' }>;

/** `host` is an address or a name to look up. */
type NamedResolver =
  | { readonly kind: 'udp' | 'tcp' | 'tls'; readonly host: string; readonly port: number }
  | { readonly kind: 'https'; readonly url: string };

/** Queries a resolver with its protocol (UDP, TCP, TLS or HTTPS). @throws the error that ended the exchange */
export async function queryResolver(
  question: Question,
  resolver: NamedResolver,
  tools: QueryTools,
): Promise<DnsAnswer> {
  if (!isDnsName(question.name))
    throw new ProbeError('internal', `Cannot look up "${question.name}": expected a host name`);
  const server = await serverOf(resolver, tools);
  const answer = await ask(question, server, true, tools);
  return WITHOUT_EDNS.includes(answer.rcode) ? ask(question, server, false, tools) : answer;
}

/**
 * Replies of servers without EDNS support, to which the query is sent again without EDNS (RFC 6891 §7). Servers that
 * were written before RFC 6891 may reply NOTIMP (RFC 2671 §5.3).
 */
const WITHOUT_EDNS: readonly string[] = ['FORMERR', 'NOTIMP'];

async function ask(question: Question, server: DnsServer, edns: boolean, tools: QueryTools): Promise<DnsAnswer> {
  // Over HTTPS, the query ID is 0, so that answers can be cached (RFC 8484 §4.1).
  const id = server.kind === 'https' ? 0 : randomInt(0x1_0000);
  const reading = await exchangeWith(server, encodeQuery({ id, ...question }, edns), tools);
  switch (reading.kind) {
    case 'answer':
      return reading;
    case 'truncated':
      throw new ProbeError('protocol', 'The answer is truncated over every transport');
    case 'unusable':
      throw new ProbeError('protocol', `The answer cannot be used: ${reading.why}`);
  }
}

async function exchangeWith(server: DnsServer, query: DnsQuery, tools: QueryTools): Promise<BelievableReading> {
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
      return exchangeHttps(await openVerified(server, DOH_PROTOCOLS, tools), new URL(server.url), query, signal);
    }
  }
}

/** @returns the answer and its query; the answer is assumed to belong to the last query that was sent */
async function askOverUdp(
  at: Destination,
  query: DnsQuery,
  { clock, onSend, signal }: QueryTools,
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
  { at, host }: DnsServer,
  protocols: readonly string[],
  { trust, signal }: QueryTools,
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

/** The certificate must be valid for `host`, a host name or IP address. */
type DnsServer = NamedResolver & { readonly host: string; readonly at: Destination };

/** @throws {ProbeError} `name-not-resolved` when the resolver's name cannot be looked up */
async function serverOf(resolver: NamedResolver, { system, sourceAddress, signal }: QueryTools): Promise<DnsServer> {
  const { host, port } = resolver.kind === 'https' ? hostPortOf(new URL(resolver.url)) : resolver;
  return { ...resolver, host, at: await locate({ host, port, sourceAddress }, system, signal) };
}

function hostPortOf({ hostname, port }: URL): HostPort {
  return { host: hostname.replace(/^\[(.*)\]$/u, '$1'), port: port === '' ? HTTPS_PORT : Number(port) };
}

const LENGTH_BYTES = 2;

/**
 * Maximum number of unrelated messages that are accepted from a DNS server. If the server sends more, the exchange
 * fails.
 */
const MAX_FOREIGN = 4;

/** Sends a query over a connected TCP or TLS socket (RFC 1035 §4.2.2, RFC 7858 §3.3) and closes it afterwards. */
async function exchangeStream(socket: Socket, query: DnsQuery, signal: AbortSignal): Promise<BelievableReading> {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt16BE(query.bytes.length);
  const wire = new Wire(socket, signal);
  try {
    // The message is sent in one segment (RFC 7766 §8), because some servers fail if the length arrives separately.
    wire.write(Buffer.concat([length, query.bytes]));
    for (let foreign = 1; ; foreign += 1) {
      const reading = readReply(await wire.read((await wire.read(LENGTH_BYTES)).readUInt16BE(0)), query);
      if (reading.kind === 'truncated')
        throw new ProbeError(
          'protocol',
          'The answer over TCP is marked as truncated, although TCP does not limit its size',
        );
      if (reading.kind !== 'foreign') return reading;
      if (foreign === MAX_FOREIGN)
        throw new ProbeError('protocol', `The server did not answer the question: ${reading.why}`);
    }
  } finally {
    wire.close();
  }
}
