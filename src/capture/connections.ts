import { authority } from '../core/authority.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import { createHandshakeReader, type Handshake, type HandshakeReader, type Role } from './handshake.ts';
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

export interface ConnectionTable {
  readonly take: (segment: Segment) => void;
  /** Ends what is still open. */
  readonly end: () => void;
  /** Connections that were not followed because too many were open at once. */
  readonly excess: () => number;
  /** Connections to anybody else. */
  readonly others: () => number;
  /** Whether some server answered in this capture, so that it sees both directions. */
  readonly sawAnswers: () => boolean;
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
interface Sender {
  packets: number;
  /** Sequence number of the next byte that was not read; null: no packet yet. */
  next: number | null;
  /** Behind the furthest byte that was sent. */
  highest: number | null;
  /** The furthest that the other side acknowledged. */
  acknowledged: number | null;
  pending: { readonly sequence: number; readonly payload: Buffer }[];
  pendingBytes: number;
  isCut: boolean;
  hasFin: boolean;
  resends: number;
  ttl: number | null;
}

interface Tracked {
  readonly key: string;
  readonly client: Endpoint;
  readonly server: Endpoint;
  readonly leg: string | null;
  readonly side: SeenConnection['side'];
  readonly startedAt: EpochMs;
  readonly senders: Readonly<Record<Role, Sender>>;
  readonly reader: HandshakeReader;
  readonly isMidStream: boolean;
  synSequence: number | null;
  synAttempts: number;
  lastSynAt: EpochMs;
  lastAt: EpochMs;
  end: ConnectionEnd;
  serverFlight: number;
  resetTtl: SeenConnection['resetTtl'];
  held: number;
  choice: Choice;
  isDecided: boolean;
}

interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** Puts segments together to connections, and reports those that are wanted when they have ended. Bounded in memory. */
export function createConnectionTable(options: ConnectionTableOptions): ConnectionTable {
  // The order of insertion is that of the last packets.
  const open = new Map<string, Tracked>();
  const ignored = new Set<string>();
  let held = 0;
  let excess = 0;
  let others = 0;
  let hasAnswers = false;

  function ignore(key: string): void {
    ignored.add(key);
    if (ignored.size > MAX_IGNORED) for (const oldest of ignored) return void ignored.delete(oldest);
  }

  function finish(tracked: Tracked): void {
    open.delete(tracked.key);
    held -= tracked.held;
    if (tracked.choice === 'wanted') options.onConnection(seenOf(tracked));
    else others += 1;
  }

  function begin(segment: Segment, key: string, leg: Pick<Tracked, 'leg'>): Tracked | null {
    const client = clientOf(segment, options.serverPorts);
    if (client === null) return null;
    if (open.size >= MAX_OPEN) {
      const [idlest] = open.values();
      if (idlest === undefined || segment.at - idlest.lastAt < IDLE) {
        excess += 1;
        ignore(key);
        return null;
      }
      finish(idlest);
    }
    const tracked = trackedOf(segment, { key, client, ...leg });
    open.set(key, tracked);
    return tracked;
  }

  function choose(tracked: Tracked): void {
    const { server, reader, senders } = tracked;
    const handshake = reader.read();
    tracked.choice = options.choose({
      serverAddress: server.address,
      serverPort: server.port,
      handshake,
      isNoTls:
        handshake.hello === null &&
        (!reader.wants('client') || (tracked.isMidStream && senders.client.highest !== null)),
    });
    // The name in the hello has the last word.
    tracked.isDecided = handshake.hello !== null;
    if (tracked.choice !== 'unwanted') return;
    finish(tracked);
    ignore(tracked.key);
  }

  return {
    take: (segment) => {
      const { key, leg } = placeOf(segment);
      const isFirst = segment.flags.syn && !segment.flags.ack;
      hasAnswers ||= segment.flags.syn && segment.flags.ack;
      if (ignored.has(key)) {
        if (!isFirst) return;
        ignored.delete(key);
      }
      let tracked = open.get(key) ?? null;
      if (tracked !== null && isFirst && tracked.synSequence !== null && tracked.synSequence !== segment.sequence) {
        finish(tracked);
        tracked = null;
      }
      const isNew = tracked === null;
      tracked ??= begin(segment, key, { leg });
      if (tracked === null) return;
      open.delete(key);
      open.set(key, tracked);
      accept(tracked, segment);
      held += weigh(tracked);
      if (held > MAX_HELD) {
        giveUp(tracked);
        held += weigh(tracked);
      }
      if (isNew || (!tracked.isDecided && segment.payload.length > 0)) choose(tracked);
      if (isOver(tracked) && open.has(key)) {
        finish(tracked);
        ignore(key);
      }
    },
    end: () => {
      for (const tracked of [...open.values()]) finish(tracked);
    },
    excess: () => excess,
    others: () => others,
    sawAnswers: () => hasAnswers,
  };

  function weigh(tracked: Tracked): number {
    const { senders, reader } = tracked;
    const now = senders.client.pendingBytes + senders.server.pendingBytes + reader.held();
    const more = now - tracked.held;
    tracked.held = now;
    return more;
  }

  function giveUp({ senders }: Tracked): void {
    for (const sender of Object.values(senders)) {
      sender.pending = [];
      sender.pendingBytes = 0;
      sender.isCut = true;
    }
  }
}

/** The same for both directions of a connection on one leg. */
function placeOf({ source, sourcePort, destination, destinationPort, port, direction }: Segment): {
  readonly key: string;
  readonly leg: string | null;
} {
  const [from, to] = [`${source} ${String(sourcePort)}`, `${destination} ${String(destinationPort)}`];
  const isForward = from < to;
  const leg = port ?? direction;
  // Which of both ends the device received from.
  const towards = direction === null ? '' : String(isForward === (direction === 'in'));
  const name = port ?? '';
  return {
    key: `${isForward ? `${from} ${to}` : `${to} ${from}`} ${name} ${towards}`,
    leg: port === null ? null : leg,
  };
}

/** Which end is the client; null: nothing says so. */
function clientOf(segment: Segment, serverPorts: readonly number[]): Role | null {
  const { flags, sourcePort, destinationPort, payload } = segment;
  if (flags.syn) return flags.ack ? 'server' : 'client';
  // A handshake record with a hello: it tells who sent it.
  const hello = payload[0] === 22 && payload[1] === 3 ? payload[5] : undefined;
  if (hello === 1) return 'client';
  if (hello === 2) return 'server';
  const [isFrom, isTo] = [serverPorts.includes(sourcePort), serverPorts.includes(destinationPort)];
  return isFrom === isTo ? null : isTo ? 'client' : 'server';
}

function trackedOf(
  segment: Segment,
  { key, client: role, leg }: { readonly key: string; readonly client: Role; readonly leg: string | null },
): Tracked {
  const { at, direction, flags } = segment;
  const from = { address: segment.source, port: segment.sourcePort };
  const to = { address: segment.destination, port: segment.destinationPort };
  const isByClient = role === 'client';
  return {
    key,
    client: isByClient ? from : to,
    server: isByClient ? to : from,
    leg,
    side: direction === null ? null : isByClient === (direction === 'in') ? 'in' : 'out',
    startedAt: at,
    senders: { client: newSender(), server: newSender() },
    reader: createHandshakeReader(),
    isMidStream: !flags.syn,
    synSequence: flags.syn && isByClient ? segment.sequence : null,
    synAttempts: 0,
    lastSynAt: Number.NEGATIVE_INFINITY,
    lastAt: at,
    end: 'open',
    serverFlight: 0,
    resetTtl: null,
    held: 0,
    choice: 'undecided',
    isDecided: false,
  };
}

function newSender(): Sender {
  return {
    packets: 0,
    next: null,
    highest: null,
    acknowledged: null,
    pending: [],
    pendingBytes: 0,
    isCut: false,
    hasFin: false,
    resends: 0,
    ttl: null,
  };
}

/** How far a sequence number is behind another: they wrap around. */
function distance(from: number, to: number): number {
  return (to - from) | 0;
}

function furthest(one: number | null, other: number): number {
  return one === null || distance(one, other) > 0 ? other : one;
}

function accept(tracked: Tracked, segment: Segment): void {
  const { flags, at, payload, missing } = segment;
  const from: Role =
    segment.source === tracked.client.address && segment.sourcePort === tracked.client.port ? 'client' : 'server';
  const sender = tracked.senders[from];
  const peer = tracked.senders[from === 'client' ? 'server' : 'client'];
  tracked.lastAt = Math.max(tracked.lastAt, at);
  sender.packets += 1;
  if (flags.syn && from === 'client' && at - tracked.lastSynAt >= SYN_AGAIN) {
    tracked.synAttempts += 1;
    tracked.lastSynAt = at;
    tracked.synSequence ??= segment.sequence;
  }
  const start = (segment.sequence + (flags.syn ? 1 : 0)) >>> 0;
  const end = (start + payload.length + missing) >>> 0;
  sender.next ??= start;
  if (payload.length + missing > 0) {
    if (sender.highest !== null && distance(sender.highest, end) <= 0) sender.resends += 1;
    sender.highest = furthest(sender.highest, end);
    if (from === 'server' && !tracked.reader.hasClientGoneOn())
      tracked.serverFlight += Math.max(0, distance(sender.next, end) > 0 ? payload.length + missing : 0);
  }
  if (flags.ack) peer.acknowledged = furthest(peer.acknowledged, segment.acknowledged);
  if (tracked.reader.wants(from)) deliver(tracked, from, { sequence: start, payload });
  sender.isCut ||= missing > 0 && tracked.reader.wants(from);
  if (flags.rst) noteReset(tracked, from, segment);
  else if (flags.fin) {
    sender.hasFin = true;
    if (tracked.end === 'open') tracked.end = from === 'client' ? 'closed-by-client' : 'closed-by-server';
  }
  if (!flags.rst) sender.ttl ??= segment.ttl;
}

function noteReset(tracked: Tracked, from: Role, { ttl }: Segment): void {
  const { client, server } = tracked.senders;
  if (tracked.end !== 'open') return;
  const isRefusal = from === 'server' && server.packets === 1 && client.highest === null && !tracked.isMidStream;
  tracked.end = from === 'client' ? 'reset-by-client' : isRefusal ? 'refused' : 'reset-by-server';
  if (from === 'server' && server.ttl !== null && server.ttl !== ttl)
    tracked.resetTtl = { reset: ttl, usual: server.ttl };
}

/** Hands on what is in order, and keeps what came early. What came twice counts as it came first. */
function deliver(tracked: Tracked, from: Role, part: { readonly sequence: number; readonly payload: Buffer }): void {
  const sender = tracked.senders[from];
  if (sender.next === null || part.payload.length === 0) return;
  const ahead = distance(sender.next, part.sequence);
  if (ahead > 0) {
    if (ahead > MAX_PENDING || sender.pendingBytes + part.payload.length > MAX_PENDING) return;
    const place = sender.pending.findIndex(({ sequence }) => distance(sequence, part.sequence) < 0);
    // Not from the pool of small buffers, of which one in use keeps many alive.
    const payload = Buffer.allocUnsafeSlow(part.payload.length);
    part.payload.copy(payload);
    const kept = { sequence: part.sequence, payload };
    sender.pending.splice(place === -1 ? sender.pending.length : place, 0, kept);
    sender.pendingBytes += kept.payload.length;
    return;
  }
  handOn(tracked, from, part);
  for (let first = sender.pending[0]; first !== undefined; first = sender.pending[0]) {
    if (distance(sender.next, first.sequence) > 0) break;
    sender.pending.shift();
    sender.pendingBytes -= first.payload.length;
    handOn(tracked, from, first);
  }
  if (tracked.reader.wants(from)) return;
  sender.pending = [];
  sender.pendingBytes = 0;
}

function handOn(
  { senders, reader }: Tracked,
  from: Role,
  { sequence, payload }: { readonly sequence: number; readonly payload: Buffer },
): void {
  const sender = senders[from];
  const known = distance(sequence, sender.next ?? sequence);
  if (known >= payload.length) return;
  reader.push(from, payload.subarray(known));
  sender.next = (sequence + payload.length) >>> 0;
}

function isOver({ end, senders }: Tracked): boolean {
  return (
    ['reset-by-client', 'reset-by-server', 'refused'].includes(end) || (senders.client.hasFin && senders.server.hasFin)
  );
}

function seenOf(tracked: Tracked): SeenConnection {
  const { client, server, senders, reader } = tracked;
  const handshake = reader.read();
  const isSilent = senders.server.packets === 0 && tracked.end === 'open' && tracked.synAttempts > 1;
  return {
    client: authority({ host: client.address, port: client.port }),
    server: authority({ host: server.address, port: server.port }),
    serverAddress: server.address,
    serverPort: server.port,
    leg: tracked.leg,
    side: tracked.side,
    startedAt: tracked.startedAt,
    endedAt: tracked.lastAt,
    handshake,
    end: isSilent && senders.client.highest === null ? 'no-answer' : tracked.end,
    isMidStream: tracked.isMidStream && handshake.hello === null,
    unseen: unseenOf(tracked),
    gap: gapOf(tracked),
    unarrived: unarrivedOf(tracked),
    serverFlight: tracked.serverFlight,
    synAttempts: tracked.synAttempts,
    initialSequence: tracked.synSequence,
    resetTtl: tracked.resetTtl,
  };
}

/** A side that was acknowledged to, and never seen. */
function unseenOf({ senders: { client, server } }: Tracked): Role | null {
  if (server.packets === 0 && server.acknowledged !== null) return 'server';
  return client.packets === 0 && client.acknowledged !== null ? 'client' : null;
}

function gapOf({ senders, reader }: Tracked): SeenConnection['gap'] {
  for (const role of ['server', 'client'] as const) {
    const { next, acknowledged, isCut, pending } = senders[role];
    if (next === null || !reader.wants(role) || senders[role].packets === 0) continue;
    const behind = acknowledged === null ? 0 : distance(next, acknowledged);
    const [first] = pending;
    // Its FIN is acknowledged as a byte of its own.
    const missing = first === undefined ? behind - (senders[role].hasFin ? 1 : 0) : distance(next, first.sequence);
    if ((behind > 1 && missing > 0) || isCut)
      return {
        text: isCut
          ? `packets of the ${role} were not captured whole (snaplen)`
          : `${String(missing)} bytes of the ${role} are missing in the capture`,
        isCut,
      };
  }
  return null;
}

/** What the client never acknowledged is lost on the way, and not in the capture. */
function unarrivedOf({ senders: { server }, reader }: Tracked): number {
  const { next, highest, acknowledged, pending, resends } = server;
  if (next === null || highest === null || acknowledged === null || !reader.wants('server')) return 0;
  const open = distance(acknowledged, highest);
  const hasHole = pending.length > 0 && distance(next, acknowledged) <= 0;
  return open >= LARGE_FLIGHT && (hasHole || resends >= 2) ? open : 0;
}
