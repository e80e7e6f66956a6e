import { isDeepStrictEqual } from 'node:util';
import { addressInAny, authority, type HostPort, hostOf, plainName, portOf } from '../core/addresses.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import { readReply } from '../network/dns/message.ts';
import { CaptureError } from './bytes.ts';
import { readFormat } from './formats.ts';
import { Handshake, type Role } from './handshake.ts';
import { type CaptureFile, decodePacket, type Rejection, type Segment } from './packets.ts';

export interface CaptureTarget extends HostPort {
  readonly serverName: string | null;
  readonly addresses: readonly string[];
}

const DNS_PORT = 53;
/** Enough for a capture of some gigabytes. A small compressed file can contain many more empty packets. */
const MAX_PACKETS = 5_000_000;
/** Progress is reported each time this many packets have been read. */
const PROGRESS_STEP = 250_000;

/**
 * Invalid content never causes an exception.
 * @param file filled in with information about the file during reading
 */
export async function readCapture(
  file: CaptureFile,
  bytes: AsyncIterable<Uint8Array>,
  target: CaptureTarget,
  wantsAll: boolean,
  {
    onConnection,
    onProgress,
  }: {
    /** Called for each connection when it has ended. */
    readonly onConnection: (connection: Connection) => void;
    readonly onProgress: () => void;
  },
): Promise<void> {
  const names = [...new Set([target.host, target.serverName ?? target.host].map(plainName))];
  const choose = (connection: Connection): Choice =>
    wantsAll && connection.handshake.hello !== null ? 'wanted' : choiceFor(connection, names, target, file);
  const table = createConnectionTable(file, [target.port, 443], choose, onConnection);
  const readDns = createDnsReader(file, names);
  try {
    for await (const packet of readFormat(bytes, file)) {
      if (file.packets === MAX_PACKETS)
        throw new CaptureError(`only the first ${String(MAX_PACKETS)} packets were read`);
      file.packets += 1;
      if (file.packets % PROGRESS_STEP === 0) onProgress();
      file.startedAt ??= packet.at;
      const decoded = decodePacket(packet);
      if (decoded === 'other') continue;
      if (typeof decoded === 'string') file.unread[decoded] += 1;
      else if ('undecoded' in decoded) countUndecoded(file, decoded.undecoded);
      else if ('by' in decoded) table.reject(decoded);
      else if (decoded.source.port === DNS_PORT) readDns(decoded);
      else if (decoded.isTcp && decoded.destination.port !== DNS_PORT) table.take(decoded);
    }
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    file.problem = error.message;
  }
  table.end();
}

const MAX_FORMATS = 20;

function countUndecoded({ undecoded }: CaptureFile, name: string): void {
  const key = undecoded.has(name) || undecoded.size < MAX_FORMATS ? name : 'other formats';
  undecoded.set(key, (undecoded.get(key) ?? 0) + 1);
}

/** Decides whether a connection is relevant, by the requested server name or, if there is none, by the address. */
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
const MAX_DNS_STREAMS = 64;
const MAX_DNS_MESSAGE = 65_535 + 2;

function createDnsReader(file: CaptureFile, names: readonly string[]): (segment: Segment) => void {
  const { dns } = file;
  const streams = new Map<string, Buffer>();

  function read(bytes: Buffer, resolver: string): void {
    if (bytes.length < 12) return;
    file.sawAnswers = true;
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
    // Over TCP, each DNS message is preceded by its length in two bytes (RFC 1035 §4.2.2). If part of a message is
    // missing, the message is discarded.
    const key = `${authority(source)} ${authority(destination)}`;
    let rest = Buffer.concat([streams.get(key) ?? Buffer.alloc(0), payload]);
    while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
      const end = 2 + rest.readUInt16BE(0);
      read(rest.subarray(2, end), source.host);
      rest = rest.subarray(end);
    }
    streams.delete(key);
    if (rest.length === 0 || rest.length > MAX_DNS_MESSAGE) return;
    // The stream that has been idle for the longest time is the likeliest to be incomplete.
    const [idlest] = streams.keys();
    if (idlest !== undefined && streams.size >= MAX_DNS_STREAMS) streams.delete(idlest);
    streams.set(key, Buffer.from(rest));
  };
}

/** Packets smaller than this are never lost because of their size. */
const LARGE_FLIGHT = 500;
const MAX_PENDING = 128;
const MAX_PENDING_BYTES = 12 * 1024;
/** A SYN that is repeated within this time is considered to be the same packet, captured on a second interface. */
const SYN_AGAIN: Millis = 500;

class Sender {
  /** Sequence number of the first byte of data. Null before the first packet. */
  first: number | null = null;
  /** Null before the first packet. */
  next: number | null = null;
  highest: number | null = null;
  acknowledged: number | null = null;
  /** Segments that arrived before earlier data. */
  pending: { readonly sequence: number; readonly payload: Buffer }[] = [];
  /** Set if the capture's packet size limit (snaplen) cut off some of the data. */
  isCut = false;
  hasFin = false;
  resends = 0;
  /** The TTL of the first packet that is not a reset. */
  ttl: number | null = null;
}

/** Sequence numbers wrap around at 2^32. */
function distance(from: number, to: number): number {
  return (to - from) | 0;
}

function furthest(one: number | null, other: number): number {
  return one === null || distance(one, other) > 0 ? other : one;
}

/** A TCP connection as one device saw it on one interface. */
export class Connection {
  readonly client: string;
  readonly server: string;
  readonly leg: string | null;
  /** The direction of the client's packets at the capturing device. Null if unknown. */
  readonly side: 'in' | 'out' | null;
  readonly startedAt: EpochMs;
  endedAt: EpochMs;
  readonly handshake = new Handshake();
  /** The number of bytes that the server sent before the client sent more data. */
  serverFlight = 0;
  synAttempts = 0;
  /** Address translation does not change this number. Null if the SYN was not captured. */
  initialSequence: number | null = null;
  /** The TTL of a reset from the server's address, if it differs from the TTL of the server's other packets. */
  resetTtl: { readonly reset: number; readonly usual: number } | null = null;
  /** A device's or the server's ICMP message that rejected the connection. */
  rejection: Pick<Rejection, 'by' | 'reason'> | null = null;
  readonly #senders: Readonly<Record<Role, Sender>> = { client: new Sender(), server: new Sender() };
  readonly #hasBeginning: boolean;
  #lastSynAt: EpochMs = Number.NEGATIVE_INFINITY;
  #end: Exclude<Connection['end'], 'no-answer'> = 'open';

  constructor({ source, destination, port, direction, at, flags }: Segment, sender: Role) {
    const isClient = sender === 'client';
    this.client = authority(isClient ? source : destination);
    this.server = authority(isClient ? destination : source);
    this.leg = port;
    this.side = direction === null ? null : isClient === (direction === 'in') ? 'in' : 'out';
    this.startedAt = at;
    this.endedAt = at;
    this.#hasBeginning = flags.syn;
  }

  take(segment: Segment): void {
    const { flags, at, sequence } = segment;
    const from = authority(segment.source) === this.client ? 'client' : 'server';
    const sender = this.#senders[from];
    const peer = this.#senders[from === 'client' ? 'server' : 'client'];
    this.endedAt = Math.max(this.endedAt, at);
    if (flags.syn && from === 'client') {
      this.initialSequence ??= sequence;
      this.synAttempts += at - this.#lastSynAt >= SYN_AGAIN ? 1 : 0;
      this.#lastSynAt = at;
    }
    if (flags.ack) peer.acknowledged = furthest(peer.acknowledged, segment.acknowledged);
    this.#follow(from, sender, segment);
    sender.hasFin ||= flags.fin;
    if (flags.rst) this.#noteReset(from, segment.ttl);
    else sender.ttl ??= segment.ttl;
    if (flags.fin && this.#end === 'open') this.#end = `closed-by-${from}`;
  }

  #follow(from: Role, sender: Sender, { sequence, flags, payload, missing }: Segment): void {
    const start = (sequence + (flags.syn ? 1 : 0)) >>> 0;
    const end = (start + payload.length + missing) >>> 0;
    sender.first ??= start;
    sender.next ??= start;
    if (start === end) return;
    if (sender.highest !== null && distance(sender.highest, end) <= 0) sender.resends += 1;
    sender.highest = furthest(sender.highest, end);
    if (from === 'server' && !this.handshake.clientWentOn && distance(sender.next, end) > 0)
      this.serverFlight += payload.length + missing;
    if (!this.handshake.wants(from)) return;
    this.#deliver(from, sender, start, payload);
    sender.isCut ||= missing > 0 && this.handshake.wants(from);
  }

  /** If data was sent repeatedly, the first copy is used. */
  #deliver(from: Role, sender: Sender, sequence: number, payload: Buffer): void {
    const ahead = distance(sender.next ?? sequence, sequence);
    if (ahead > 0) {
      // The payload is copied to a separate buffer. A slice would keep a whole chunk of the file in memory.
      const held = sender.pending.reduce((sum, early) => sum + early.payload.length, payload.length);
      if (held <= MAX_PENDING_BYTES && sender.pending.length < MAX_PENDING)
        sender.pending.push({ sequence, payload: Buffer.from(new Uint8Array(payload).buffer) });
      return;
    }
    if (ahead + payload.length > 0) {
      this.handshake.push(from, payload.subarray(-ahead));
      sender.next = (sequence + payload.length) >>> 0;
    }
    const due = sender.pending.findIndex((early) => distance(sender.next ?? 0, early.sequence) <= 0);
    for (const early of due === -1 ? [] : sender.pending.splice(due, 1))
      this.#deliver(from, sender, early.sequence, early.payload);
    if (!this.handshake.wants(from)) sender.pending = [];
  }

  #noteReset(from: Role, ttl: number): void {
    const { client, server } = this.#senders;
    if (this.#end !== 'open') return;
    const isRefusal = server.ttl === null && client.highest === null && this.#hasBeginning;
    this.#end = from === 'server' && isRefusal ? 'refused' : `reset-by-${from}`;
    if (from === 'server' && server.ttl !== null && server.ttl !== ttl)
      this.resetTtl = { reset: ttl, usual: server.ttl };
  }

  /** `open` means that the connection was still open at the end of the capture. */
  get end(): 'open' | 'refused' | 'no-answer' | `${'closed' | 'reset'}-by-${Role}` {
    const { client, server } = this.#senders;
    const isSilent = server.next === null && client.highest === null && this.#end === 'open';
    if (isSilent && this.rejection !== null) return 'refused';
    return isSilent && this.synAttempts > 1 ? 'no-answer' : this.#end;
  }

  /** Set if the client certainly sent nothing after the server's messages. */
  get hasClientStopped(): boolean {
    const { clientWentOn, clientAlert } = this.handshake;
    return !clientWentOn && clientAlert === null && !this.lacksClientData;
  }

  /** Bytes of data in a direction, including those that were not captured. */
  sent(from: Role): number {
    const { first, highest, acknowledged } = this.#senders[from];
    const last = acknowledged === null ? highest : furthest(highest, acknowledged);
    return first === null || last === null ? 0 : Math.max(0, distance(first, last));
  }

  /** Set if the server acknowledged data from the client that is not in the capture. */
  get lacksClientData(): boolean {
    const { next, acknowledged } = this.#senders.client;
    if (acknowledged === null || !this.handshake.wants('client')) return false;
    // TCP acknowledges a FIN as if it were one byte of data.
    return next === null || distance(next, acknowledged) > 1;
  }

  isOver(): boolean {
    const isReset = this.#end === 'refused' || this.#end.startsWith('reset');
    return isReset || (this.#senders.client.hasFin && this.#senders.server.hasFin);
  }

  /** Set if the client's first data was captured and is not a ClientHello. */
  get isNoTls(): boolean {
    const hasSpoken = !this.#hasBeginning && this.#senders.client.highest !== null;
    return this.handshake.hello === null && (hasSpoken || !this.handshake.wants('client'));
  }

  /** Null if the data is complete. */
  get missing(): readonly ['mid-stream' | 'one-direction' | 'gap' | 'truncated', string] | null {
    if (!this.#hasBeginning && this.handshake.hello === null)
      return ['mid-stream', 'The capture does not contain the start of the connection.'];
    return this.#missingOf('server') ?? this.#missingOf('client');
  }

  #missingOf(role: Role): Connection['missing'] {
    const { next, acknowledged, isCut } = this.#senders[role];
    if (next === null && acknowledged !== null) return ['one-direction', `No packet from the ${role} was captured.`];
    if (this.handshake.isTooLong) return ['truncated', 'The handshake is too large for ftm-watch to read.'];
    if (next === null || !this.handshake.wants(role)) return null;
    if (isCut) return ['truncated', `The capture truncated packets from the ${role}.`];
    const behind = acknowledged === null ? 0 : distance(next, acknowledged);
    // TCP acknowledges a FIN as if it were one byte of data.
    const gap = `Up to ${String(behind)} bytes from the ${role} are missing from the capture.`;
    return behind > 1 ? ['gap', gap] : null;
  }

  /** Bytes that the client never acknowledged during the handshake, because they were lost after the capture point. */
  get unarrived(): number {
    const { next, highest, acknowledged, pending, resends } = this.#senders.server;
    if (next === null || highest === null || acknowledged === null || !this.handshake.wants('server')) return 0;
    const open = distance(acknowledged, highest);
    const hasHole = pending.length > 0 && distance(next, acknowledged) <= 0;
    return open >= LARGE_FLIGHT && (hasHole || resends >= 2) ? open : 0;
  }
}

const MAX_OPEN = 1_000;
const MAX_IGNORED = 20_000;
/** A connection that has been idle for this long can be replaced by another connection. */
const IDLE: Millis = 60_000;

/** `undecided` means that the decision depends on data that has not been read yet. */
type Choice = 'wanted' | 'unwanted' | 'undecided';

/**
 * Passes on relevant connections once they have ended. Memory use is limited.
 * @param serverPorts ports that identify the server's side if the start of a connection was not captured
 */
function createConnectionTable(
  file: CaptureFile,
  serverPorts: readonly number[],
  choose: (connection: Connection) => Choice,
  onConnection: (connection: Connection) => void,
): {
  readonly take: (segment: Segment) => void;
  readonly reject: (rejection: Rejection) => void;
  readonly end: () => void;
} {
  /** Sorted by the time of their last packets. */
  const open = new Map<string, Connection>();
  const ignored = new Set<string>();

  function ignore(key: string): void {
    ignored.add(key);
    const [oldest] = ignored;
    if (ignored.size > MAX_IGNORED && oldest !== undefined) ignored.delete(oldest);
  }

  function finish(key: string, connection: Connection): void {
    open.delete(key);
    ignore(key);
    if (choose(connection) === 'wanted') onConnection(connection);
    else file.others += 1;
  }

  function begin(key: string, segment: Segment): Connection | undefined {
    const sender = senderOf(segment, serverPorts);
    const [idlest] = open;
    if (sender === null) return undefined;
    if (idlest !== undefined && open.size >= MAX_OPEN) {
      if (segment.at - idlest[1].endedAt < IDLE) {
        file.excess += 1;
        ignore(key);
        return undefined;
      }
      finish(...idlest);
    }
    ignored.delete(key);
    return new Connection(segment, sender);
  }

  return {
    take: (segment) => {
      const { flags, sequence } = segment;
      const key = keyOf(segment);
      const isFirst = flags.syn && !flags.ack;
      file.sawAnswers ||= flags.syn && flags.ack;
      if (!isFirst && ignored.has(key)) return;
      const earlier = open.get(key);
      // If a SYN with the same addresses and ports has a different initial sequence number, it starts a new connection.
      const isAnother = isFirst && (earlier?.initialSequence ?? sequence) !== sequence;
      if (earlier !== undefined && isAnother) finish(key, earlier);
      const connection = open.get(key) ?? begin(key, segment);
      if (connection === undefined) return;
      open.delete(key);
      open.set(key, connection);
      connection.take(segment);
      if (connection.isOver() || choose(connection) === 'unwanted') finish(key, connection);
    },
    reject: ({ source, destination, port, direction, by, reason }) => {
      // The message travels in the opposite direction of the packet that it quotes.
      const opposite = direction === 'in' ? 'out' : 'in';
      const key = keyOf({ source, destination, port, direction: direction === null ? null : opposite });
      const rejected = open.get(key);
      if (rejected !== undefined) rejected.rejection ??= { by, reason };
    },
    end: () => {
      for (const [key, connection] of open) finish(key, connection);
    },
  };
}

/** The key is the same for both directions. */
function keyOf({
  source,
  destination,
  port,
  direction,
}: Pick<Segment, 'source' | 'destination' | 'port' | 'direction'>): string {
  const [from, to] = [authority(source), authority(destination)];
  // Identifies the side from which the capturing device received the packet.
  const towards = direction === null ? '' : String(from < to === (direction === 'in'));
  return [...[from, to].toSorted(), port ?? '', towards].join(' ');
}

function senderOf({ flags, source, destination }: Segment, serverPorts: readonly number[]): Role | null {
  if (flags.syn) return flags.ack ? 'server' : 'client';
  const isTo = serverPorts.includes(destination.port);
  return isTo === serverPorts.includes(source.port) ? null : isTo ? 'client' : 'server';
}
