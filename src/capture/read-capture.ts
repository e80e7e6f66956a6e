import { isDeepStrictEqual } from 'node:util';
import { addressInAny, authority, type HostPort, hostOf, plainName, portOf } from '../core/addresses.ts';
import { readReply } from '../network/dns/message.ts';
import { CaptureError } from './bytes.ts';
import { type Choice, type Connection, createConnectionTable } from './connections.ts';
import { readFormat } from './formats.ts';
import { type CaptureFile, decodePacket, type Segment } from './packets.ts';

export interface CaptureTarget extends HostPort {
  readonly serverName: string | null;
  readonly addresses: readonly string[];
}

const DNS_PORT = 53;

/**
 * Invalid content never causes an exception.
 * @param file filled with information about the file during reading
 * @param onConnection called for each connection when it has ended
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
      else if (segment.source.port === DNS_PORT) readDns(segment);
      else if (segment.isTcp && segment.destination.port !== DNS_PORT) table.take(segment);
    }
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    file.problem = error.message;
  }
  table.end();
}

/** The decision depends on the requested server name or, if there is none, on the address. */
function choiceFor(
  { handshake: { hello, tunnel }, server, isNoTls }: Connection,
  names: readonly string[],
  { port, addresses }: CaptureTarget,
  { dns }: CaptureFile,
): Choice {
  if (typeof hello?.serverName === 'string') return names.includes(plainName(hello.serverName)) ? 'wanted' : 'unwanted';
  const far = plainName(hostOf(tunnel ?? server));
  const isNamed = [...names, ...dns.flatMap(({ answers }) => answers)].includes(far) || addressInAny(far, addresses);
  if (isNamed && (tunnel !== null || portOf(server) === String(port))) return 'wanted';
  return hello !== null || isNoTls ? 'unwanted' : 'undecided';
}

const MAX_ANSWERS = 100;
const MAX_STREAMS = 64;
const MAX_MESSAGE = 65_535 + 2;

function createDnsReader({ dns }: CaptureFile, names: readonly string[]): (segment: Segment) => void {
  const streams = new Map<string, Buffer>();

  function read(bytes: Buffer, resolver: string): void {
    if (bytes.length < 12) return;
    const asked = names.flatMap((name) => (['A', 'AAAA'] as const).map((type) => ({ name, type })));
    for (const question of asked) {
      const reading = readReply(bytes, { ...question, id: bytes.readUInt16BE(0), bytes });
      if (reading.kind !== 'answer') continue;
      const answers = reading.addresses.length === 0 ? [reading.rcode] : reading.addresses;
      const seen = { name: question.name, answers, resolver };
      if (dns.length < MAX_ANSWERS && !dns.some((known) => isDeepStrictEqual(known, seen))) dns.push(seen);
    }
  }

  return ({ isTcp, source, destination, payload }) => {
    if (!isTcp) {
      read(payload, source.host);
      return;
    }
    // Over TCP, each DNS message is preceded by its length in two bytes (RFC 1035 §4.2.2). If a part of a message is
    // missing, the message is discarded.
    const key = `${authority(source)} ${authority(destination)}`;
    let rest = Buffer.concat([streams.get(key) ?? Buffer.alloc(0), payload]);
    while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
      const end = 2 + rest.readUInt16BE(0);
      read(rest.subarray(2, end), source.host);
      rest = rest.subarray(end);
    }
    if (rest.length === 0 || rest.length > MAX_MESSAGE) streams.delete(key);
    else if (streams.has(key) || streams.size < MAX_STREAMS) streams.set(key, Buffer.from(rest));
  };
}
