import { authority } from '../core/authority.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import { type Handshake, HandshakeReader, type Role } from './handshake.ts';
import type { Segment } from './packets.ts';

/** How a connection ended. `open`: it had not when the capture ended. */
export type ConnectionEnd =
  | 'open'
  | 'closed-by-client'
  | 'closed-by-server'
  | 'reset-by-client'
  | 'reset-by-server'
  | 'refused'
  | 'no-answer';

/** One TCP connection on one leg: as a device saw it on one interface. */
export interface SeenConnection {
  /** `host:port` */
  readonly client: string;
  readonly server: string;
  readonly serverAddress: string;
  readonly serverPort: number;
  /** The interface; null: the capture does not say. */
  readonly leg: string | null;
  /** Where the client is, seen from the device that captured; null: not known. */
  readonly side: 'in' | 'out' | null;
  readonly startedAt: EpochMs;
  readonly endedAt: EpochMs;
  readonly handshake: Handshake;
  readonly end: ConnectionEnd;
  /** The capture begins after the connection. */
  readonly isMidStream: boolean;
  /** Whose packets are missing, though the other side acknowledges them. */
  readonly unseen: Role | null;
  /** What is missing of what both sides had, a sentence; null: nothing that matters. `isCut`: by the snaplen. */
  readonly gap: { readonly text: string; readonly isCut: boolean } | null;
  /** Bytes that the server sent and the client never acknowledged, in the middle of the handshake. */
  readonly unarrived: number;
  /** Bytes that the server sent before the client went on. */
  readonly serverFlight: number;
  readonly synAttempts: number;
  /** Of the client's SYN: address translation keeps it. Null: not seen. */
  readonly initialSequence: number | null;
  /** Of a reset in the name of the server: its TTL, and that of the server's other packets. */
  readonly resetTtl: { readonly reset: number; readonly usual: number } | null;
}

export interface KnownOfConnection extends Pick<SeenConnection, 'serverAddress' | 'serverPort' | 'handshake'> {
  /** What the client sent first is in the capture, and is no hello. */
  readonly isNoTls: boolean;
}

/** What a connection is about, as far as it is known. */
export type Choice = 'wanted' | 'unwanted' | 'undecided';

export interface ConnectionTableOptions {
  readonly choose: (known: KnownOfConnection) => Choice;
  /** A server that listens on this port is one, though the capture does not show the beginning. */
  readonly serverPorts: readonly number[];
  readonly onConnection: (connection: SeenConnection) => void;
}

const MAX_OPEN = 1_000;
/** Keys of connections that are not read any further. */
const MAX_IGNORED = 20_000;
/** Bytes that wait for others, of one direction and of all connections. */
const MAX_PENDING = 64 * 1024;
const MAX_HELD = 8 * 1024 * 1024;
/** A connection that is silent for so long makes room for another. */
const IDLE: Millis = 60_000;
/** The same SYN again sooner was captured twice, on two interfaces. */
const SYN_AGAIN: Millis = 500;
/** Where a connection is not followed from its beginning, less is no large flight. */
const LARGE_FLIGHT = 500;

/** What one side sent. */
class Sender {
  packets = 0;
  /** Sequence number of the next byte that was not read; null: no packet yet. */
  next: number | null = null;
  /** Behind the furthest byte that was sent. */
  highest: number | null = null;
  /** The furthest that the other side acknowledged. */
  acknowledged: number | null = null;
  pending: { readonly sequence: number; readonly payload: Buffer }[] = [];
  pendingBytes = 0;
  /** Bytes that it sent are not in the capture: the snaplen cut them, or they were too many to keep. */
  isCut = false;
  hasFin = false;
  resends = 0;
  ttl: number | null = null;

  drop(): void {
    this.pending = [];
    this.pendingBytes = 0;
  }

  /** Keeps what came early, in order. */
  keep(sequence: number, bytes: Buffer): void {
    if (this.pendingBytes + bytes.length > MAX_PENDING) return;
    // Not from the pool of small buffers, of which one in use keeps many alive.
    const payload = Buffer.allocUnsafeSlow(bytes.length);
    bytes.copy(payload);
    const place = this.pending.findIndex((later) => distance(later.sequence, sequence) < 0);
    this.pending.splice(place === -1 ? this.pending.length : place, 0, { sequence, payload });
    this.pendingBytes += payload.length;
  }
}

/** How far a sequence number is behind another: they wrap around. */
function distance(from: number, to: number): number {
  return (to - from) | 0;
}

function furthest(one: number | null, other: number): number {
  return one === null || distance(one, other) > 0 ? other : one;
}

interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** A connection while it is followed. */
class Tracked {
  readonly reader = new HandshakeReader();
  readonly senders: Readonly<Record<Role, Sender>> = { client: new Sender(), server: new Sender() };
  readonly key: string;
  readonly client: Endpoint;
  readonly server: Endpoint;
  readonly first: Segment;
  readonly side: SeenConnection['side'];
  initialSequence: number | null = null;
  synAttempts = 0;
  lastSynAt: EpochMs = Number.NEGATIVE_INFINITY;
  lastAt: EpochMs;
  end: ConnectionEnd = 'open';
  serverFlight = 0;
  resetTtl: SeenConnection['resetTtl'] = null;
  held = 0;
  choice: Choice = 'undecided';
  isDecided = false;

  constructor(key: string, first: Segment, sender: Role) {
    const from = { host: first.source, port: first.sourcePort };
    const to = { host: first.destination, port: first.destinationPort };
    const isByClient = sender === 'client';
    this.key = key;
    this.first = first;
    this.client = isByClient ? from : to;
    this.server = isByClient ? to : from;
    this.side = first.direction === null ? null : isByClient === (first.direction === 'in') ? 'in' : 'out';
    this.lastAt = first.at;
  }

  take(segment: Segment): void {
    const { flags, at } = segment;
    const from = segment.source === this.client.host && segment.sourcePort === this.client.port ? 'client' : 'server';
    const sender = this.senders[from];
    const peer = this.senders[from === 'client' ? 'server' : 'client'];
    this.lastAt = Math.max(this.lastAt, at);
    sender.packets += 1;
    if (flags.syn && from === 'client') this.#noteSyn(segment);
    if (flags.ack) peer.acknowledged = furthest(peer.acknowledged, segment.acknowledged);
    this.#follow(from, sender, segment);
    if (flags.fin) sender.hasFin = true;
    if (flags.rst) this.#noteReset(from, segment);
    else if (flags.fin && this.end === 'open') this.end = from === 'client' ? 'closed-by-client' : 'closed-by-server';
    if (!flags.rst) sender.ttl ??= segment.ttl;
  }

  #follow(from: Role, sender: Sender, { sequence, flags, payload, missing }: Segment): void {
    const start = (sequence + (flags.syn ? 1 : 0)) >>> 0;
    const end = (start + payload.length + missing) >>> 0;
    sender.next ??= start;
    if (start === end) return;
    if (sender.highest !== null && distance(sender.highest, end) <= 0) sender.resends += 1;
    sender.highest = furthest(sender.highest, end);
    if (from === 'server' && !this.reader.seen.clientWentOn && distance(sender.next, end) > 0)
      this.serverFlight += payload.length + missing;
    if (!this.reader.wants(from)) return;
    this.#deliver(from, start, payload);
    sender.isCut ||= missing > 0 && this.reader.wants(from);
  }

  #noteSyn({ at, sequence }: Segment): void {
    this.initialSequence ??= sequence;
    if (at - this.lastSynAt < SYN_AGAIN) return;
    this.synAttempts += 1;
    this.lastSynAt = at;
  }

  #noteReset(from: Role, { ttl }: Segment): void {
    const { client, server } = this.senders;
    if (this.end !== 'open') return;
    const isRefusal = server.packets === 1 && client.highest === null && this.first.flags.syn;
    this.end = from === 'client' ? 'reset-by-client' : isRefusal ? 'refused' : 'reset-by-server';
    if (from === 'server' && server.ttl !== null && server.ttl !== ttl)
      this.resetTtl = { reset: ttl, usual: server.ttl };
  }

  /** Hands on what is in order, and keeps what came early. What came twice counts as it came first. */
  #deliver(from: Role, sequence: number, payload: Buffer): void {
    const sender = this.senders[from];
    const ahead = distance(sender.next ?? sequence, sequence);
    if (ahead > MAX_PENDING) return;
    if (ahead > 0) {
      sender.keep(sequence, payload);
      return;
    }
    this.#handOn(from, sequence, payload);
    for (let [first] = sender.pending; first !== undefined; [first] = sender.pending) {
      if (distance(sender.next ?? 0, first.sequence) > 0) break;
      sender.pending.shift();
      sender.pendingBytes -= first.payload.length;
      this.#handOn(from, first.sequence, first.payload);
    }
    if (!this.reader.wants(from)) sender.drop();
  }

  #handOn(from: Role, sequence: number, payload: Buffer): void {
    const sender = this.senders[from];
    const known = distance(sequence, sender.next ?? sequence);
    if (known >= payload.length) return;
    this.reader.push(from, payload.subarray(known));
    sender.next = (sequence + payload.length) >>> 0;
  }

  isOver(): boolean {
    const isReset = this.end === 'refused' || this.end.startsWith('reset');
    return isReset || (this.senders.client.hasFin && this.senders.server.hasFin);
  }

  seen(): SeenConnection {
    const { client, server } = this.senders;
    const isSilent = server.packets === 0 && this.end === 'open' && this.synAttempts > 1 && client.highest === null;
    return {
      client: authority(this.client),
      server: authority(this.server),
      serverAddress: this.server.host,
      serverPort: this.server.port,
      leg: this.first.port,
      side: this.side,
      startedAt: this.first.at,
      endedAt: this.lastAt,
      handshake: this.reader.seen,
      end: isSilent ? 'no-answer' : this.end,
      isMidStream: !this.first.flags.syn && this.reader.seen.hello === null,
      unseen: this.#unseen(),
      gap: this.#gap('server') ?? this.#gap('client'),
      unarrived: this.#unarrived(),
      serverFlight: this.serverFlight,
      synAttempts: this.synAttempts,
      initialSequence: this.initialSequence,
      resetTtl: this.resetTtl,
    };
  }

  /** A side that was acknowledged to, and never seen. */
  #unseen(): Role | null {
    const { client, server } = this.senders;
    if (server.packets === 0 && server.acknowledged !== null) return 'server';
    return client.packets === 0 && client.acknowledged !== null ? 'client' : null;
  }

  #gap(role: Role): SeenConnection['gap'] {
    const { next, acknowledged, isCut, hasFin, pending } = this.senders[role];
    if (next === null || !this.reader.wants(role)) return null;
    if (isCut) return { text: `packets of the ${role} were not captured whole`, isCut };
    const behind = acknowledged === null ? 0 : distance(next, acknowledged);
    const [first] = pending;
    // Its FIN is acknowledged as a byte of its own.
    const missing = first === undefined ? behind - (hasFin ? 1 : 0) : distance(next, first.sequence);
    return behind > 1 && missing > 0
      ? { text: `${String(missing)} bytes of the ${role} are missing in the capture`, isCut }
      : null;
  }

  /** What the client never acknowledged is lost on the path, and not in the capture. */
  #unarrived(): number {
    const { next, highest, acknowledged, pending, resends } = this.senders.server;
    if (next === null || highest === null || acknowledged === null || !this.reader.wants('server')) return 0;
    const open = distance(acknowledged, highest);
    const hasHole = pending.length > 0 && distance(next, acknowledged) <= 0;
    return open >= LARGE_FLIGHT && (hasHole || resends >= 2) ? open : 0;
  }
}

/** Puts segments together to connections, and reports those that are wanted when they have ended. Bounded in memory. */
export class ConnectionTable {
  /** Connections that were not followed because too many were open at once. */
  excess = 0;
  /** Connections to anybody else. */
  others = 0;
  /** Some server answered in this capture, so that it sees both directions. */
  sawAnswers = false;
  readonly #options: ConnectionTableOptions;
  /** In the order of their last packets. */
  readonly #open = new Map<string, Tracked>();
  readonly #ignored = new Set<string>();
  #held = 0;

  constructor(options: ConnectionTableOptions) {
    this.#options = options;
  }

  take(segment: Segment): void {
    const { flags, payload } = segment;
    const key = keyOf(segment);
    const isFirst = flags.syn && !flags.ack;
    this.sawAnswers ||= flags.syn && flags.ack;
    if (!isFirst && this.#ignored.has(key)) return;
    const earlier = this.#earlier(segment, key, isFirst);
    const tracked = earlier ?? this.#begin(segment, key);
    if (tracked === null) return;
    this.#open.delete(key);
    this.#open.set(key, tracked);
    tracked.take(segment);
    this.#weigh(tracked);
    if (tracked !== earlier || (!tracked.isDecided && payload.length > 0)) this.#choose(tracked);
    if (tracked.isOver() && this.#open.has(key)) this.#finish(tracked);
  }

  /** The connection that the segment belongs to: the same ports with another beginning are another one. */
  #earlier({ sequence }: Segment, key: string, isFirst: boolean): Tracked | null {
    const earlier = this.#open.get(key) ?? null;
    if (earlier === null || !isFirst || (earlier.initialSequence ?? sequence) === sequence) return earlier;
    this.#finish(earlier);
    return null;
  }

  /** Ends what is still open. */
  end(): void {
    for (const tracked of this.#open.values()) this.#finish(tracked);
  }

  #begin(segment: Segment, key: string): Tracked | null {
    const sender = senderOf(segment, this.#options.serverPorts);
    if (sender === null) return null;
    const [idlest] = this.#open.values();
    if (idlest !== undefined && this.#open.size >= MAX_OPEN) {
      if (segment.at - idlest.lastAt < IDLE) {
        this.excess += 1;
        this.#ignore(key);
        return null;
      }
      this.#finish(idlest);
    }
    this.#ignored.delete(key);
    return new Tracked(key, segment, sender);
  }

  #choose(tracked: Tracked): void {
    const { server, reader, senders, first } = tracked;
    const handshake = reader.seen;
    const hasSpoken = !reader.wants('client') || (!first.flags.syn && senders.client.highest !== null);
    const isNoTls = handshake.hello === null && hasSpoken;
    const known = { serverAddress: server.host, serverPort: server.port, handshake, isNoTls };
    tracked.choice = this.#options.choose(known);
    // The name in the hello has the last word.
    tracked.isDecided = handshake.hello !== null;
    if (tracked.choice === 'unwanted') this.#finish(tracked);
  }

  #finish(tracked: Tracked): void {
    this.#open.delete(tracked.key);
    this.#ignore(tracked.key);
    this.#held -= tracked.held;
    if (tracked.choice === 'wanted') this.#options.onConnection(tracked.seen());
    else this.others += 1;
  }

  /** Packets that come later are of nothing that is followed. */
  #ignore(key: string): void {
    this.#ignored.add(key);
    const [oldest] = this.#ignored;
    if (this.#ignored.size > MAX_IGNORED && oldest !== undefined) this.#ignored.delete(oldest);
  }

  /** What waits for others is given up where it is too much. */
  #weigh(tracked: Tracked): void {
    const { client, server } = tracked.senders;
    const now = client.pendingBytes + server.pendingBytes + tracked.reader.held();
    this.#held += now - tracked.held;
    tracked.held = now;
    if (this.#held <= MAX_HELD || client.pendingBytes + server.pendingBytes === 0) return;
    for (const sender of [client, server]) {
      sender.isCut ||= sender.pendingBytes > 0;
      sender.drop();
    }
    this.#weigh(tracked);
  }
}

/** The same for both directions of a connection on one leg. */
function keyOf({ source, sourcePort, destination, destinationPort, port, direction }: Segment): string {
  const [from, to] = [`${source} ${String(sourcePort)}`, `${destination} ${String(destinationPort)}`];
  const isForward = from < to;
  // Which of both ends the device received from.
  const towards = direction === null ? '' : String(isForward === (direction === 'in'));
  return `${isForward ? `${from} ${to}` : `${to} ${from}`} ${port ?? ''} ${towards}`;
}

/** Which side sent it; null: nothing says so. */
function senderOf(segment: Segment, serverPorts: readonly number[]): Role | null {
  const { flags, sourcePort, destinationPort, payload } = segment;
  if (flags.syn) return flags.ack ? 'server' : 'client';
  // A handshake record with a hello tells who sent it.
  const hello = payload[0] === 22 && payload[1] === 3 ? payload[5] : undefined;
  if (hello === 1) return 'client';
  if (hello === 2) return 'server';
  const isTo = serverPorts.includes(destinationPort);
  return isTo === serverPorts.includes(sourcePort) ? null : isTo ? 'client' : 'server';
}
