import { addressInAny, hostOf, plainName } from '../core/addresses.ts';
import { readReply } from '../network/dns/message.ts';
import { CaptureError } from './bytes.ts';
import { type Choice, type Connection, createConnectionTable } from './connections.ts';
import { readFormat } from './formats.ts';
import { type CapturedAnswer, type CaptureFile, decodePacket, type Segment } from './packets.ts';

/** Which connections are meant. */
export interface CaptureTarget {
  readonly host: string;
  readonly port: number;
  /** SNI; null: none is sent. */
  readonly serverName: string | null;
  /** Addresses and CIDR blocks. */
  readonly addresses: readonly string[];
}

const DNS_PORT = 53;

/**
 * Reads one capture up to the handshakes of the connections to the target. Never throws because of what the file
 * contains.
 *
 * @param file filled in while it is read
 * @param wantsAll the TLS connections to all other servers as well
 * @param onConnection is handed each connection when it has ended
 */
export async function readCapture(
  file: CaptureFile,
  bytes: AsyncIterable<Uint8Array>,
  target: CaptureTarget,
  wantsAll: boolean,
  onConnection: (connection: Connection) => void,
): Promise<void> {
  const names = [...new Set([target.host, target.serverName ?? target.host].map(plainName))];
  const dns = new Answers(names);
  const table = createConnectionTable(
    file,
    [target.port, 443],
    (connection) =>
      wantsAll && connection.handshake.hello !== null
        ? 'wanted'
        : choiceFor(connection, names, target, (address) => dns.addresses.has(address)),
    onConnection,
  );
  try {
    for await (const packet of readFormat(bytes, file)) {
      file.packets += 1;
      file.startedAt ??= packet.at;
      const segment = decodePacket(packet);
      if (segment === 'other') continue;
      if (typeof segment === 'string') file.unread[segment] += 1;
      else if (segment.sourcePort === DNS_PORT) dns.take(segment);
      else if (segment.transport === 'tcp' && segment.destinationPort !== DNS_PORT) table.take(segment);
    }
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    file.problem = error.message;
  }
  table.end();
  file.dns = [...dns.found.values()];
}

/** The name that the client asked for decides; where it asked for none, the address does. */
function choiceFor(
  { handshake: { hello, tunnel }, serverAddress, serverPort, isNoTls }: Connection,
  names: readonly string[],
  { host, port, addresses }: CaptureTarget,
  isAnswered: (address: string) => boolean,
): Choice {
  if (typeof hello?.serverName === 'string') return names.includes(plainName(hello.serverName)) ? 'wanted' : 'unwanted';
  const far = tunnel === null ? serverAddress : hostOf(tunnel);
  const isMeant = far === host || isAnswered(far) || addressInAny(far, addresses) || names.includes(plainName(far));
  if (isMeant && (tunnel !== null || serverPort === port)) return 'wanted';
  return hello !== null || isNoTls ? 'unwanted' : 'undecided';
}

const MAX_ANSWERS = 100;
/** Connections with resolvers whose messages come in pieces. */
const MAX_STREAMS = 64;
const MAX_MESSAGE = 65_535 + 2;

/** What resolvers answer about names, over UDP and TCP. */
class Answers {
  readonly found = new Map<string, CapturedAnswer>();
  readonly addresses = new Set<string>();
  readonly #names: readonly string[];
  readonly #streams = new Map<string, Buffer>();

  constructor(names: readonly string[]) {
    this.#names = names;
  }

  take({ transport, source, destination, destinationPort, payload }: Segment): void {
    if (payload.length === 0) return;
    if (transport === 'udp') {
      this.#read(payload, source);
      return;
    }
    // Two bytes of length before each message (RFC 1035 §4.2.2). A message that lost a piece is given up.
    const key = `${source} ${destination} ${String(destinationPort)}`;
    let rest = Buffer.concat([this.#streams.get(key) ?? Buffer.alloc(0), payload]);
    while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
      const end = 2 + rest.readUInt16BE(0);
      this.#read(rest.subarray(2, end), source);
      rest = rest.subarray(end);
    }
    if (rest.length === 0 || rest.length > MAX_MESSAGE) this.#streams.delete(key);
    else if (this.#streams.has(key) || this.#streams.size < MAX_STREAMS) this.#streams.set(key, Buffer.from(rest));
  }

  #read(message: Buffer, resolver: string): void {
    if (message.length < 12) return;
    const asked = this.#names.flatMap((name) => [{ name, type: 'A' } as const, { name, type: 'AAAA' } as const]);
    for (const { name, type } of asked) {
      const reading = readReply(message, { id: message.readUInt16BE(0), name, type, bytes: message });
      if (reading.kind !== 'answer' || this.found.size >= MAX_ANSWERS) continue;
      for (const address of reading.addresses) this.addresses.add(address);
      const answers = reading.addresses.length === 0 ? [reading.rcode] : reading.addresses;
      this.found.set(`${resolver} ${name} ${answers.join()}`, { name, answers, resolver });
    }
  }
}
