import { authority } from '../core/addresses.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import { Handshake, type Role } from './handshake.ts';
import type { CaptureFile, Segment } from './packets.ts';

/** Smaller packets are not lost because of their size. */
const LARGE_FLIGHT = 500;
/** Maximum number of out-of-order segments per direction that are kept. */
const MAX_PENDING = 128;
/** Maximum bytes of these segments. */
const MAX_PENDING_BYTES = 12 * 1024;
/** A repeated SYN within this time was captured twice, on two interfaces. */
const SYN_AGAIN: Millis = 500;

/** Data sent by one side. */
class Sender {
  /** Sequence number of the next unread byte (null before the first packet), and of the end of the furthest data. */
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
  /** TTL of the first packet that is not a reset. */
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
  /** TTL of a reset from the server's address, and of the server's other packets. Null if they are the same. */
  resetTtl: { readonly reset: number; readonly usual: number } | null = null;
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

  /** Passes on data that is in order, and keeps data that came early. For repeated data, the first copy counts. */
  #deliver(from: Role, sender: Sender, sequence: number, payload: Buffer): void {
    const ahead = distance(sender.next ?? sequence, sequence);
    if (ahead > 0) {
      // Copied outside Node's buffer pool, because a slice would keep a whole chunk of the file in memory.
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

  /** `open`: the connection had not ended when the capture did. */
  get end(): 'open' | 'refused' | 'no-answer' | `${'closed' | 'reset'}-by-${Role}` {
    const { client, server } = this.#senders;
    const isSilent = server.next === null && client.highest === null && this.synAttempts > 1;
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
      return ['mid-stream', 'The capture lacks the beginning of the connection.'];
    return this.#missingOf('server') ?? this.#missingOf('client');
  }

  #missingOf(role: Role): Connection['missing'] {
    const { next, acknowledged, isCut } = this.#senders[role];
    if (next === null && acknowledged !== null) return ['one-direction', `No packet of the ${role} was captured.`];
    if (this.handshake.isTooLong) return ['truncated', 'The handshake is too long to be read.'];
    if (next === null || !this.handshake.wants(role)) return null;
    if (isCut) return ['truncated', `Packets of the ${role} were truncated by the capture.`];
    const behind = acknowledged === null ? 0 : distance(next, acknowledged);
    // A FIN is acknowledged like one byte.
    const gap = `The capture lacks data of the ${role}, up to ${String(behind)} bytes.`;
    return behind > 1 ? ['gap', gap] : null;
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

/** Whether a connection will be judged. `undecided`: it depends on data that was not read yet. */
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

  /** Returns undefined if the connection is not followed. */
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
      // The same ports with a different initial sequence number are a different connection.
      const isAnother = isFirst && (earlier?.initialSequence ?? sequence) !== sequence;
      if (earlier !== undefined && isAnother) finish(key, earlier);
      const connection = open.get(key) ?? begin(key, segment);
      if (connection === undefined) return;
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
function keyOf({ source, destination, port, direction }: Segment): string {
  const [from, to] = [authority(source), authority(destination)];
  // The end from which the device received.
  const towards = direction === null ? '' : String(from < to === (direction === 'in'));
  return [...[from, to].toSorted(), port ?? '', towards].join(' ');
}

/** Returns which side sent the segment, or null if unknown. */
function senderOf({ flags, source, destination }: Segment, serverPorts: readonly number[]): Role | null {
  if (flags.syn) return flags.ack ? 'server' : 'client';
  const isTo = serverPorts.includes(destination.port);
  return isTo === serverPorts.includes(source.port) ? null : isTo ? 'client' : 'server';
}
