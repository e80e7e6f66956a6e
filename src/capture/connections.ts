import { authority } from '../core/addresses.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import { Handshake, type Role } from './handshake.ts';
import type { CaptureFile, Segment } from './packets.ts';

/** If the beginning of a connection is missing, a flight smaller than this does not count as large. */
const LARGE_FLIGHT = 500;
/** Maximum number of out-of-order segments per direction that are kept. */
const MAX_PENDING = 128;
/**
 * Maximum bytes of one connection that wait for more data, and the same for out-of-order data. No chain is this long.
 */
const MAX_HELD = 24 * 1024;
const ROLES: readonly Role[] = ['server', 'client'];
/** A repeated SYN within this time was captured twice, on two interfaces. */
const SYN_AGAIN: Millis = 500;

/** Data sent by one side. */
class Sender {
  packets = 0;
  /** Sequence number of the next unread byte, and of the byte after the furthest one. Null before the first packet. */
  next: number | null = null;
  highest: number | null = null;
  /** Highest sequence number that the other side acknowledged. */
  acknowledged: number | null = null;
  /** Out-of-order segments. */
  pending: { readonly sequence: number; readonly payload: Buffer }[] = [];
  /** Some bytes are missing from the capture, because the snaplen cut them. */
  isCut = false;
  hasFin = false;
  resends = 0;
  ttl: number | null = null;
}

/** Distance between two sequence numbers, which wrap around. */
function distance(from: number, to: number): number {
  return (to - from) | 0;
}

function furthest(one: number | null, other: number): number {
  return one === null || distance(one, other) > 0 ? other : one;
}

/** One TCP connection on one leg, as a device saw it on one interface. */
export class Connection {
  /** `host:port` */
  readonly client: string;
  readonly server: string;
  readonly serverAddress: string;
  readonly serverPort: number;
  /** The interface. Null if the capture does not contain it. */
  readonly leg: string | null;
  /** Side of the client, seen from the capturing device. Null if unknown. */
  readonly side: 'in' | 'out' | null;
  readonly startedAt: EpochMs;
  endedAt: EpochMs;
  readonly handshake = new Handshake();
  /** Bytes that the server sent before the client continued. */
  serverFlight = 0;
  synAttempts = 0;
  /** Sequence number of the client's SYN, which address translation does not change. Null if it was not seen. */
  initialSequence: number | null = null;
  /** For a reset in the name of the server: its TTL, and the TTL of the server's other packets. */
  resetTtl: { readonly reset: number; readonly usual: number } | null = null;
  readonly #senders: Readonly<Record<Role, Sender>> = { client: new Sender(), server: new Sender() };
  readonly #hasBeginning: boolean;
  #lastSynAt: EpochMs = Number.NEGATIVE_INFINITY;
  #end: Exclude<Connection['end'], 'no-answer'> = 'open';
  #isGivenUp = false;

  constructor({ source, sourcePort, destination, destinationPort, ...first }: Segment, sender: Role) {
    const ends = [
      { host: source, port: sourcePort },
      { host: destination, port: destinationPort },
    ] as const;
    const [client, server] = sender === 'client' ? ends : [ends[1], ends[0]];
    this.client = authority(client);
    this.server = authority(server);
    this.serverAddress = server.host;
    this.serverPort = server.port;
    this.leg = first.port;
    this.side = first.direction === null ? null : (sender === 'client') === (first.direction === 'in') ? 'in' : 'out';
    this.startedAt = first.at;
    this.endedAt = first.at;
    this.#hasBeginning = first.flags.syn;
  }

  take(segment: Segment): void {
    const { flags, at, sequence } = segment;
    const from = authority({ host: segment.source, port: segment.sourcePort }) === this.client ? 'client' : 'server';
    const sender = this.#senders[from];
    const peer = this.#senders[from === 'client' ? 'server' : 'client'];
    this.endedAt = Math.max(this.endedAt, at);
    sender.packets += 1;
    if (flags.syn && from === 'client') this.initialSequence ??= sequence;
    if (flags.syn && from === 'client' && at - this.#lastSynAt >= SYN_AGAIN) {
      this.synAttempts += 1;
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
    sender.next ??= start;
    if (start === end) return;
    if (sender.highest !== null && distance(sender.highest, end) <= 0) sender.resends += 1;
    sender.highest = furthest(sender.highest, end);
    if (from === 'server' && !this.handshake.clientWentOn && distance(sender.next, end) > 0)
      this.serverFlight += payload.length + missing;
    if (!this.handshake.wants(from)) return;
    this.#deliver(from, sender, start, payload);
    sender.isCut ||= missing > 0 && this.handshake.wants(from);
    if (this.handshake.held() <= MAX_HELD) return;
    this.#isGivenUp = true;
    this.handshake.end();
  }

  /** Passes on data that is in order, and keeps data that came early. For repeated data, the first copy counts. */
  #deliver(from: Role, sender: Sender, sequence: number, payload: Buffer): void {
    const ahead = distance(sender.next ?? sequence, sequence);
    if (ahead > 0) {
      // A separate copy, because the buffers of the file and of small chunks are shared.
      const held = sender.pending.reduce((sum, early) => sum + early.payload.length, payload.length);
      if (held <= MAX_HELD / 2 && sender.pending.length < MAX_PENDING)
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
    const isRefusal = server.packets === 1 && client.highest === null && this.#hasBeginning;
    this.#end = from === 'server' && isRefusal ? 'refused' : `reset-by-${from}`;
    if (from === 'server' && server.ttl !== null && server.ttl !== ttl)
      this.resetTtl = { reset: ttl, usual: server.ttl };
  }

  /** `open`: the connection had not ended when the capture did. */
  get end(): 'open' | 'refused' | 'no-answer' | `${'closed' | 'reset'}-by-${Role}` {
    const { client, server } = this.#senders;
    const isSilent = server.packets === 0 && client.highest === null && this.synAttempts > 1;
    return this.#end === 'open' && isSilent ? 'no-answer' : this.#end;
  }

  isOver(): boolean {
    const isReset = this.#end === 'refused' || this.#end.startsWith('reset');
    return isReset || (this.#senders.client.hasFin && this.#senders.server.hasFin);
  }

  /** The client's first data is in the capture and is not a ClientHello. */
  get isNoTls(): boolean {
    const hasSpoken = !this.#hasBeginning && this.#senders.client.highest !== null;
    return this.handshake.hello === null && (hasSpoken || !this.handshake.wants('client'));
  }

  /** The reason why the capture is incomplete, with a sentence about it. Null if it is complete. */
  get missing(): readonly ['mid-stream' | 'one-direction' | 'gap' | 'truncated', string] | null {
    if (!this.#hasBeginning && this.handshake.hello === null)
      return ['mid-stream', 'The beginning of the connection was not captured.'];
    const unseen = ROLES.find((role) => {
      const { packets, acknowledged } = this.#senders[role];
      return packets === 0 && acknowledged !== null;
    });
    if (unseen !== undefined) return ['one-direction', `No packet of the ${unseen} was captured.`];
    return this.#missingOf('server') ?? this.#missingOf('client');
  }

  #missingOf(role: Role): Connection['missing'] {
    const { next, acknowledged, isCut, hasFin, pending } = this.#senders[role];
    if (this.#isGivenUp) return ['truncated', 'The handshake is longer than what is kept of one.'];
    if (next === null || !this.handshake.wants(role)) return null;
    if (isCut) return ['truncated', `Packets of the ${role} were not captured whole.`];
    const behind = acknowledged === null ? 0 : distance(next, acknowledged);
    // A FIN is acknowledged like one byte.
    const end = pending.length === 0 ? behind - (hasFin ? 1 : 0) : Number.POSITIVE_INFINITY;
    const gap = pending.reduce((least, { sequence }) => Math.min(least, distance(next, sequence)), end);
    return behind > 1 && gap > 0 ? ['gap', `${String(gap)} bytes of the ${role} are missing in the capture.`] : null;
  }

  /**
   * Number of bytes that the server sent during the handshake and the client never acknowledged. They were lost on the
   * path, not in the capture.
   */
  get unarrived(): number {
    const { next, highest, acknowledged, pending, resends } = this.#senders.server;
    if (next === null || highest === null || acknowledged === null || !this.handshake.wants('server')) return 0;
    const open = distance(acknowledged, highest);
    const hasHole = pending.length > 0 && distance(next, acknowledged) <= 0;
    return open >= LARGE_FLIGHT && (hasHole || resends >= 2) ? open : 0;
  }
}

const MAX_OPEN = 1_000;
/** Maximum number of connections that are remembered as ignored. */
const MAX_IGNORED = 20_000;
/** A connection that is idle for this long can be replaced by another. */
const IDLE: Millis = 60_000;

/** Whether a connection is to be judged, as far as it is known. */
export type Choice = 'wanted' | 'unwanted' | 'undecided';

/**
 * Assembles segments into connections and passes on the wanted ones when they have ended. Memory use is bounded.
 *
 * @param file counts connections that are not followed
 * @param serverPorts the side that uses one of these ports is the server if the capture lacks the beginning
 */
export function createConnectionTable(
  file: CaptureFile,
  serverPorts: readonly number[],
  choose: (connection: Connection) => Choice,
  onConnection: (connection: Connection) => void,
): { readonly take: (segment: Segment) => void; readonly end: () => void } {
  /** In the order of their last packets. */
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

  /** Null if the connection is not followed. */
  function begun(key: string, segment: Segment): Connection | null {
    const sender = senderOf(segment, serverPorts);
    const [idlest] = open;
    if (sender === null) return null;
    if (idlest !== undefined && open.size >= MAX_OPEN) {
      if (segment.at - idlest[1].endedAt < IDLE) {
        file.excess += 1;
        ignore(key);
        return null;
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
      // The same ports with a different initial sequence number are a different connection.
      const isAnother = earlier !== undefined && isFirst && (earlier.initialSequence ?? sequence) !== sequence;
      if (isAnother) finish(key, earlier);
      const connection = isAnother ? begun(key, segment) : (earlier ?? begun(key, segment));
      if (connection === null) return;
      open.delete(key);
      open.set(key, connection);
      connection.take(segment);
      if (connection.isOver() || choose(connection) === 'unwanted') finish(key, connection);
    },
    end: () => {
      for (const [key, connection] of open) finish(key, connection);
    },
  };
}

/** Returns a key that is equal for both directions of a connection on one leg. */
function keyOf({ source, sourcePort, destination, destinationPort, port, direction }: Segment): string {
  const [from, to] = [`${source} ${String(sourcePort)}`, `${destination} ${String(destinationPort)}`];
  // The end from which the device received.
  const towards = direction === null ? '' : String(from < to === (direction === 'in'));
  return [...[from, to].toSorted(), port ?? '', towards].join(' ');
}

/** Returns which side sent the segment, or null if unknown. */
function senderOf(segment: Segment, serverPorts: readonly number[]): Role | null {
  const { flags, sourcePort, destinationPort, payload } = segment;
  if (flags.syn) return flags.ack ? 'server' : 'client';
  // A handshake record with a hello identifies its sender.
  const hello = payload[0] === 22 && payload[1] === 3 ? payload[5] : undefined;
  if (hello === 1) return 'client';
  if (hello === 2) return 'server';
  const isTo = serverPorts.includes(destinationPort);
  return isTo === serverPorts.includes(sourcePort) ? null : isTo ? 'client' : 'server';
}
