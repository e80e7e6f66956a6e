import { addressInAny, hostOf, plainName } from '../core/addresses.ts';
import { readReply } from '../network/dns/message.ts';
import { CaptureError } from './bytes.ts';
import { type Choice, type Connection, createConnectionTable } from './connections.ts';
import { readFormat } from './formats.ts';
import { type CaptureFile, decodePacket, type Segment } from './packets.ts';

/** The connections to judge. */
export interface CaptureTarget {
  readonly host: string;
  readonly port: number;
  /** SNI. Null if none is sent. */
  readonly serverName: string | null;
  /** Addresses and CIDR blocks. */
  readonly addresses: readonly string[];
}

const DNS_PORT = 53;

/**
 * Reads one capture up to the handshakes of the connections to the target. Never throws because of the content.
 *
 * @param file filled in during reading
 * @param wantsAll include TLS connections to all other servers
 * @param onConnection called with each connection that has ended
 */
export async function readCapture(
  file: CaptureFile,
  bytes: AsyncIterable<Uint8Array>,
  target: CaptureTarget,
  wantsAll: boolean,
  onConnection: (connection: Connection) => void,
): Promise<void> {
  const names = [...new Set([target.host, target.serverName ?? target.host].map(plainName))];
  const choose = (connection: Connection): Choice =>
    wantsAll && connection.handshake.hello !== null ? 'wanted' : choiceFor(connection, names, target, file);
  const table = createConnectionTable(file, [target.port, 443], choose, onConnection);
  const readDns = createDnsReader(file, names);
  try {
    for await (const packet of readFormat(bytes, file)) {
      file.packets += 1;
      file.startedAt ??= packet.at;
      const segment = decodePacket(packet);
      if (segment === 'other') continue;
      if (typeof segment === 'string') file.unread[segment] += 1;
      else if (segment.sourcePort === DNS_PORT) readDns(segment);
      else if (segment.transport === 'tcp' && segment.destinationPort !== DNS_PORT) table.take(segment);
    }
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    file.problem = error.message;
  }
  table.end();
}

/** The requested server name decides, or the address if there is none. */
function choiceFor(
  { handshake: { hello, tunnel }, serverAddress, serverPort, isNoTls }: Connection,
  names: readonly string[],
  { host, port, addresses }: CaptureTarget,
  { dns }: CaptureFile,
): Choice {
  if (typeof hello?.serverName === 'string') return names.includes(plainName(hello.serverName)) ? 'wanted' : 'unwanted';
  const far = tunnel === null ? serverAddress : hostOf(tunnel);
  const isNamed = [host, ...names, ...dns.flatMap(({ answers }) => answers)].some((known) => known === plainName(far));
  if ((isNamed || addressInAny(far, addresses)) && (tunnel !== null || serverPort === port)) return 'wanted';
  return hello !== null || isNoTls ? 'unwanted' : 'undecided';
}

const MAX_ANSWERS = 100;
/** Maximum number of resolver connections with partial messages. */
const MAX_STREAMS = 64;
const MAX_MESSAGE = 65_535 + 2;

/** Collects resolvers' answers about names, over UDP and TCP. */
function createDnsReader(file: CaptureFile, names: readonly string[]): (segment: Segment) => void {
  const asked = names.flatMap((name) => [{ name, type: 'A' } as const, { name, type: 'AAAA' } as const]);
  const found = new Set<string>();
  const streams = new Map<string, Buffer>();

  function read(message: Buffer, resolver: string): void {
    if (message.length < 12) return;
    for (const { name, type } of asked) {
      const reading = readReply(message, { id: message.readUInt16BE(0), name, type, bytes: message });
      if (reading.kind !== 'answer') continue;
      const answers = reading.addresses.length === 0 ? [reading.rcode] : reading.addresses;
      const key = [resolver, name, ...answers].join(' ');
      if (!found.has(key) && found.size < MAX_ANSWERS) file.dns.push({ name, answers, resolver });
      found.add(key);
    }
  }

  return ({ transport, source, destination, destinationPort, payload }) => {
    if (transport === 'udp') {
      read(payload, source);
      return;
    }
    // Each message is preceded by its length in two bytes (RFC 1035 §4.2.2). A message with a lost piece is discarded.
    const key = `${source} ${destination} ${String(destinationPort)}`;
    let rest = Buffer.concat([streams.get(key) ?? Buffer.alloc(0), payload]);
    while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
      const end = 2 + rest.readUInt16BE(0);
      read(rest.subarray(2, end), source);
      rest = rest.subarray(end);
    }
    if (rest.length === 0 || rest.length > MAX_MESSAGE) streams.delete(key);
    else if (streams.has(key) || streams.size < MAX_STREAMS) streams.set(key, Buffer.from(rest));
  };
}
