import { addressInAny } from '../core/addresses.ts';
import { hostOf, plainName } from '../core/authority.ts';
import type { EpochMs } from '../core/clock.ts';
import { readReply } from '../network/dns/message.ts';
import { type Choice, ConnectionTable, type KnownOfConnection, type SeenConnection } from './connections.ts';
import { readFormat } from './formats.ts';
import { decodePacket, type Segment } from './packets.ts';
import type { FormatFacts, RawPacket } from './raw-packet.ts';

/** Which connections are meant. */
export interface CaptureTarget {
  readonly host: string;
  readonly port: number;
  /** SNI; null: none is sent. */
  readonly serverName: string | null;
  /** Addresses and CIDR blocks. */
  readonly addresses: readonly string[];
}

/** What was read of one file. */
export interface CapturedFile {
  /** Null: no format was recognised. */
  readonly format: FormatFacts['format'] | null;
  readonly packets: number;
  /** Packets that could not be read: fragments, cut or broken ones. */
  readonly skipped: number;
  /** Time of the first packet; null: there is none, or only relative ones. */
  readonly startedAt: EpochMs | null;
  /** The device that made it, as its prompt names it. */
  readonly device: string | null;
  readonly areTimesRelative: boolean;
  readonly connections: readonly SeenConnection[];
  /** Connections to others. */
  readonly others: number;
  /** Wanted connections of which only the first 1,000 are kept. */
  readonly omitted: number;
  /** Connections that were not followed, because 1,000 others were open. */
  readonly excess: number;
  readonly sawAnswers: boolean;
  readonly dns: readonly CapturedAnswer[];
  /** Why reading ended before the end of the file; null: it did not. */
  readonly problem: string | null;
  readonly notes: readonly string[];
}

/** An answer of a resolver about a name of interest. */
export interface CapturedAnswer {
  readonly name: string;
  readonly answers: readonly string[];
  readonly resolver: string;
}

const DNS_PORT = 53;
const MAX_CONNECTIONS = 1_000;
const MAX_ANSWERS = 100;
/** Connections with resolvers whose messages come in pieces. */
const MAX_DNS_STREAMS = 64;
const MAX_DNS_MESSAGE = 65_535 + 2;

/**
 * Reads one capture up to the handshakes of the connections to the target. Never throws because of what the file
 * contains.
 *
 * @param wantsAll keep the TLS connections to all other servers as well
 */
export async function readCapture(
  file: AsyncIterable<Uint8Array>,
  target: CaptureTarget,
  wantsAll: boolean,
): Promise<CapturedFile> {
  const dns = createAnswers([target.host, ...(target.serverName === null ? [] : [target.serverName])]);
  const connections: SeenConnection[] = [];
  let omitted = 0;
  const table = new ConnectionTable({
    serverPorts: [target.port, 443],
    choose: (known) => {
      const choice = choiceFor(known, target, dns.addresses());
      return wantsAll && known.handshake.hello !== null ? 'wanted' : choice;
    },
    onConnection: (connection) => {
      if (connections.length < MAX_CONNECTIONS) connections.push(connection);
      else omitted += 1;
    },
  });
  const counts = { packets: 0, fragment: 0, cut: 0, broken: 0 };
  let startedAt: EpochMs | null = null;

  const { reader, problem } = await readFormat(file, (packet: RawPacket) => {
    counts.packets += 1;
    startedAt ??= packet.at;
    const segment = decodePacket(packet);
    if (segment === 'other') return;
    if (typeof segment === 'string') {
      counts[segment] += 1;
      return;
    }
    if (segment.sourcePort === DNS_PORT) dns.take(segment);
    else if (segment.transport === 'tcp' && segment.destinationPort !== DNS_PORT) table.take(segment);
  });
  table.end();
  const facts = reader?.facts ?? { format: null, device: null, isRelative: false, broken: 0 };
  return {
    format: facts.format,
    packets: counts.packets,
    skipped: counts.fragment + counts.cut + counts.broken + facts.broken,
    startedAt: facts.isRelative ? null : startedAt,
    device: facts.device,
    areTimesRelative: facts.isRelative,
    connections,
    others: table.others,
    omitted,
    excess: table.excess,
    sawAnswers: table.sawAnswers,
    dns: dns.all(),
    problem,
    notes: notesOf({ ...counts, lost: facts.broken }),
  };
}

function notesOf(counts: Readonly<Record<'fragment' | 'cut' | 'broken' | 'lost', number>>): readonly string[] {
  const told: readonly (readonly [count: number, what: string])[] = [
    [counts.fragment, 'are IP fragments, which are not put together'],
    [counts.cut, 'were captured too short to read their ports'],
    [counts.lost, 'lack a line of the text'],
    [counts.broken, 'have lengths that contradict each other'],
  ];
  return told.flatMap(([count, what]) => (count === 0 ? [] : [`${String(count)} packets ${what}`]));
}

/** The name that the client asked for decides; where it asked for none, the address does. */
function choiceFor(
  { handshake: { hello, tunnel }, serverAddress, serverPort, isNoTls }: KnownOfConnection,
  { host, port, serverName, addresses }: CaptureTarget,
  answered: readonly string[],
): Choice {
  const names = [host, ...(serverName === null ? [] : [serverName])].map(plainName);
  const isExpectedAddress = (address: string): boolean =>
    address === host || answered.includes(address) || addressInAny(address, addresses);
  if (typeof hello?.serverName === 'string') return names.includes(plainName(hello.serverName)) ? 'wanted' : 'unwanted';
  const far = tunnel === null ? null : hostOf(tunnel);
  const isMeant =
    far === null
      ? serverPort === port && isExpectedAddress(serverAddress)
      : names.includes(plainName(far)) || isExpectedAddress(far);
  if (isMeant) return 'wanted';
  return hello !== null || isNoTls ? 'unwanted' : 'undecided';
}

interface Answers {
  readonly take: (segment: Segment) => void;
  readonly addresses: () => readonly string[];
  readonly all: () => readonly CapturedAnswer[];
}

/** Collects what resolvers answer about names, over UDP and TCP. */
function createAnswers(names: readonly string[]): Answers {
  const found = new Map<string, CapturedAnswer>();
  const addresses = new Set<string>();
  const streams = new Map<string, Buffer>();

  function read(message: Buffer, resolver: string): void {
    if (message.length < 12) return;
    for (const name of new Set(names)) {
      for (const type of ['A', 'AAAA'] as const) {
        const reading = readReply(message, { id: message.readUInt16BE(0), name, type, bytes: message });
        if (reading.kind !== 'answer' || found.size >= MAX_ANSWERS) continue;
        for (const address of reading.addresses) addresses.add(address);
        const answers = reading.addresses.length === 0 ? [reading.rcode] : reading.addresses;
        found.set(`${resolver} ${name} ${answers.join()}`, { name, answers, resolver });
      }
    }
  }

  return {
    take: ({ transport, source, destination, destinationPort, payload }) => {
      if (payload.length === 0) return;
      if (transport === 'udp') {
        read(payload, source);
        return;
      }
      // Two bytes of length before each message (RFC 1035 §4.2.2). A message that lost a piece is given up.
      const key = `${source} ${destination} ${String(destinationPort)}`;
      let rest = Buffer.concat([streams.get(key) ?? Buffer.alloc(0), payload]);
      while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
        const end = 2 + rest.readUInt16BE(0);
        read(rest.subarray(2, end), source);
        rest = rest.subarray(end);
      }
      if (rest.length === 0 || rest.length > MAX_DNS_MESSAGE) streams.delete(key);
      else if (streams.has(key) || streams.size < MAX_DNS_STREAMS) streams.set(key, Buffer.from(rest));
    },
    addresses: () => [...addresses],
    all: () => [...found.values()],
  };
}
