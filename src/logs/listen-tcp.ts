import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import type { ListenAddress } from '../config/schema/section.ts';
import type { WatchedConfig } from '../config/schema/watched.ts';
import { authority } from '../core/addresses.ts';
import { createConnectionEvictor } from '../network/connection-evictor.ts';
import { errorCode, failureMessage } from '../network/failure.ts';
import type { Millis, Clock } from '../core/clock.ts';
import type { ServedCertificate } from '../network/tls/served-certificate.ts';
import { limitHandshakes } from '../network/tls/handshake-limit.ts';
import { beat, IDLE_BEAT } from '../system/clock.ts';
import { messageOf } from '../text/message-of.ts';
import { type LineTally, type IntakeLogger, type ConnectionTally, createOccasionalWarning } from './tally.ts';
import type { Origin } from './senders.ts';
import { Framer, type LineSink } from './framing.ts';

/** There is no idle timeout, because an appliance may have nothing to send for hours. */
export interface ConnectionLimits {
  /** When the limit is exceeded, the least active connection is closed, starting with those from unknown senders. */
  readonly connections: number;
  /**
   * Maximum time without data in the middle of a line. After this time, the incomplete line is accepted and the
   * connection is closed.
   */
  readonly stalledLine: Millis;
  /** Maximum time from the start of a line to its end. */
  readonly endlessLine: Millis;
}

export const CONNECTION_LIMITS: ConnectionLimits = { connections: 2048, stalledLine: 60_000, endlessLine: 600_000 };

const NO_CERTIFICATE = 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE';
/** Alerts by which a client rejects the listener's certificate (RFC 8446 §6.2). */
const CERTIFICATE_REJECTED =
  /ALERT_(?:BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_(?:REVOKED|EXPIRED|UNKNOWN)|UNKNOWN_CA)/u;
const HANDSHAKE: Millis = 10_000;

interface TcpOptions extends ConnectionDeps {
  readonly listen: ListenAddress;
  readonly tls: WatchedConfig['logs']['syslog']['tls'];
  /** Null if the listener does not use TLS. */
  readonly certificate: ServedCertificate | null;
  readonly limits: ConnectionLimits;
  readonly tally: LineTally;
  /** Connections from unknown addresses are closed first. */
  readonly isKnown: (address: string) => boolean;
  /** A connection is rejected immediately if no line from its address can be accepted. */
  readonly refuses: (address: string) => boolean;
  readonly onHandshake: (outcome: HandshakeOutcome) => void;
  /** Lines may have been lost, because too many known senders are connected. */
  readonly onLost: (lines: number) => void;
}

export interface HandshakeOutcome {
  readonly address: string;
  /** Verb phrase about the sender, such as `presents no certificate`. Null if the handshake succeeded. */
  readonly failure: string | null;
  /** True if the sender does not accept the listener's certificate. */
  readonly rejectsCertificate: boolean;
}

interface TcpListener {
  readonly address: ListenAddress;
  stop(): Promise<void>;
}

/** @throws {Error} when the port cannot be bound */
export async function listenTcp(options: TcpOptions): Promise<TcpListener> {
  const { listen, limits, tls } = options;
  const warnOverLimit = createOccasionalWarning(
    options,
    'syslog-senders-limited',
    'Too many syslog senders are connected, so the least active connections are closed, unknown senders first',
  );
  const open = new Set<TcpConnection>();
  const { take, follow } = createReceiver(options, (socket) => accept(socket, open, options));
  const server = createServer();
  /** Includes the sockets of TLS connections, because all must be closed before the server can close. */
  const sockets = new Set<Socket>();
  const crowd = createConnectionEvictor({
    places: limits.connections,
    isKnownAddress: options.isKnown,
    onEvicted: (isKnown) => {
      options.connections['over-limit'] += 1;
      options.tally.dropped += 1;
      if (isKnown) options.onLost(1);
      warnOverLimit({});
    },
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    if (turnsAway(socket, options)) {
      socket.destroy();
      return;
    }
    crowd.enter(socket);
    take(socket);
  });
  await bindTcp(server, listen, tls === null ? 'TCP' : 'TLS');
  server.on('error', (error) => {
    options.logger.error({ event: 'syslog-listener-failed', err: error }, 'Syslog listener failed');
  });
  const stopWatching = watch(options, open);
  const unfollow = follow(() => {
    for (const connection of open) connection.leave();
  });
  const bound = server.address();
  return {
    address: typeof bound === 'object' && bound !== null ? { address: bound.address, port: bound.port } : listen,
    stop: async () => {
      stopWatching();
      unfollow();
      const closed = once(server, 'close');
      server.close();
      for (const connection of open) connection.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** @throws {Error} with advice, when the port cannot be bound */
export async function bindTcp(server: Server, listen: ListenAddress, what: 'TCP' | 'TLS'): Promise<void> {
  try {
    server.listen({ host: listen.address, port: listen.port, exclusive: true });
    await once(server, 'listening');
  } catch (error) {
    server.close();
    throw bindError(what, listen, error);
  }
}

interface Receiver {
  readonly take: (socket: Socket) => void;
  readonly follow: (onOtherClients: () => void) => () => void;
}

/** TLS starts only in `take`, so that a connection that was refused before is not counted as a failed handshake too. */
function createReceiver(options: TcpOptions, onReady: (socket: Socket) => void): Receiver {
  const { tls, certificate, connections } = options;
  if (tls === null || certificate === null) return { take: onReady, follow: () => () => undefined };
  const isAsked = tls.clientCaFile !== null;
  const warn = createOccasionalWarning(
    options,
    'syslog-handshake-failed',
    'The TLS handshake with syslog senders failed',
  );
  const server = createTlsServer({
    ...certificate.material(),
    handshakeTimeout: HANDSHAKE,
    requestCert: isAsked,
    rejectUnauthorized: isAsked,
  });
  if (isAsked) limitHandshakes(server, options.clock);
  /** Handshakes in progress, by peer. */
  const underWay = new Map<string, Socket>();

  /** A TLS socket that was closed no longer knows its peer, so the address is that of a TCP socket that was closed. */
  function end({ remoteAddress, remotePort }: TLSSocket): string {
    const isEnded = (socket: Socket, peer: string): boolean =>
      remoteAddress === undefined ? socket.destroyed : peer === peerOf({ remoteAddress, remotePort });
    const [peer = ''] = [...underWay].find(([key, socket]) => isEnded(socket, key)) ?? [];
    underWay.delete(peer);
    return peer.split(' ')[0] ?? '';
  }

  server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
    const code = errorCode(error);
    connections[code === NO_CERTIFICATE ? 'no-certificate' : 'failed-handshake'] += 1;
    const address = end(socket);
    const failure = handshakeFailure(error, socket);
    options.onHandshake({ address, failure, rejectsCertificate: CERTIFICATE_REJECTED.test(code ?? '') });
    warn({ address, error: `The sender ${failure}` });
  });
  server.on('secureConnection', (socket) => {
    options.onHandshake({ address: end(socket), failure: null, rejectsCertificate: false });
    onReady(socket);
  });
  return {
    take: (socket) => {
      underWay.set(peerOf(socket), socket);
      server.emit('connection', socket);
    },
    follow: (onOtherClients) => certificate.follow(server, { ...options, onOtherClients }),
  };
}

function peerOf({
  remoteAddress = '',
  remotePort,
}: {
  remoteAddress?: string | undefined;
  remotePort?: number | undefined;
}): string {
  return `${remoteAddress} ${String(remotePort)}`;
}

const FAILURES: ReadonlyMap<string, string> = new Map([
  [NO_CERTIFICATE, 'presents no certificate'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'does not use TLS'],
  ['ERR_SSL_HTTP_REQUEST', 'does not use TLS'],
  ['ERR_SSL_UNSUPPORTED_PROTOCOL', 'uses a TLS version that is too old'],
  ['ERR_SSL_NO_SHARED_CIPHER', 'supports no cipher of this machine'],
  ['ECONNRESET', 'closes the connection during the TLS handshake'],
]);

function handshakeFailure(error: Error, { authorizationError }: TLSSocket): string {
  const code = errorCode(error) ?? '';
  // Node reports a certificate that it does not accept as a closed connection. Its types say that this is an error.
  const refusal: unknown = authorizationError;
  if (refusal !== null && refusal !== undefined && code === 'ECONNRESET') {
    const why = typeof refusal === 'string' ? refusal : failureMessage(refusal);
    return `presents a certificate that is not accepted (${why})`;
  }
  if (CERTIFICATE_REJECTED.test(code))
    return `rejects the certificate of the syslog listener (${failureMessage(error)})`;
  return FAILURES.get(code) ?? `fails with an error (${failureMessage(error)})`;
}

/** Called before TLS starts and before another connection is closed to make room. */
function turnsAway({ remoteAddress }: Socket, { refuses, connections }: TcpOptions): boolean {
  if (!refuses(remoteAddress ?? '')) return false;
  connections.refused += 1;
  return true;
}

function accept(socket: Socket, open: Set<TcpConnection>, options: TcpOptions): void {
  if (socket.destroyed) return;
  const connection = new TcpConnection(socket, options);
  open.add(connection);
  socket.once('close', () => open.delete(connection));
  connection.open();
}

function watch(options: TcpOptions, open: ReadonlySet<TcpConnection>): () => void {
  const { clock, limits, connections } = options;
  const warn = createOccasionalWarning(
    options,
    'syslog-line-unfinished',
    'Syslog senders did not finish a line within the time limit, so their connections are closed',
  );
  return beat(clock, IDLE_BEAT, () => {
    const now = clock.elapsed();
    for (const connection of open) {
      if (!connection.isStuck(now, limits)) continue;
      connections['timed-out'] += 1;
      warn({ address: connection.address });
      connection.close();
    }
  });
}

const KEEP_ALIVE: Millis = 60_000;
const LEAVE_WITHIN: Millis = 10_000;

interface ConnectionDeps {
  readonly clock: Clock;
  readonly logger: IntakeLogger;
  readonly connections: ConnectionTally;
  readonly turns: TurnBudget;
  readonly originOf: (socket: Socket) => Origin;
  /** `refuse` closes the connection. */
  readonly reader: (origin: Origin, address: string, refuse: () => void) => LineSink;
}

class TcpConnection {
  readonly address: string;
  readonly #socket: Socket;
  readonly #deps: ConnectionDeps;
  readonly #framer: Framer;
  #lastByteAt: Millis;
  /** Null if there is no incomplete line. */
  #lineSince: Millis | null = null;

  constructor(socket: Socket, deps: ConnectionDeps) {
    this.address = socket.remoteAddress ?? '';
    const origin = deps.originOf(socket);
    this.#socket = socket;
    this.#deps = deps;
    this.#lastByteAt = deps.clock.elapsed();
    this.#framer = new Framer(
      deps.reader(origin, this.address, () => this.#refuse()),
      { octetCounting: true },
    );
  }

  open(): void {
    const { connections, turns, logger } = this.#deps;
    const socket = this.#socket;
    connections.accepted += 1;
    connections.open += 1;
    turns.add(socket);
    socket.setKeepAlive(true, KEEP_ALIVE);
    socket.on('error', (error) => {
      logger.debug(
        { event: 'syslog-connection-failed', err: error, address: this.address },
        'Syslog connection failed',
      );
    });
    socket.on('data', (chunk: Buffer) => this.#guard(() => this.#take(chunk)));
    socket.once('close', () => {
      turns.remove(socket);
      connections.open -= 1;
      // If the connection ends with an incomplete line, the line is accepted.
      this.#guard(() => this.#framer.end());
    });
  }

  /**
   * Returns whether a line is incomplete, and either no data arrived for `stalledLine` or the line began more than
   * `endlessLine` ago.
   */
  isStuck(now: Millis, limits: { readonly stalledLine: Millis; readonly endlessLine: Millis }): boolean {
    if (this.#socket.destroyed || this.#lineSince === null) return false;
    return now - this.#lastByteAt > limits.stalledLine || now - this.#lineSince > limits.endlessLine;
  }

  /**
   * Closes this side of the connection so that the sender reconnects, but continues reading until the sender closes the
   * other side.
   */
  leave(): void {
    this.#socket.end();
    const cancel = this.#deps.clock.after(LEAVE_WITHIN, () => this.#socket.destroy());
    this.#socket.once('close', cancel);
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    const { clock, turns } = this.#deps;
    const framer = this.#framer;
    const before = framer.frames;
    const began = clock.elapsed();
    framer.push(chunk);
    const isNewLine = framer.frames !== before;
    const now = clock.elapsed();
    this.#lastByteAt = now;
    this.#lineSince = framer.inLine ? ((isNewLine ? null : this.#lineSince) ?? now) : null;
    turns.spend(this.#socket, { bytes: chunk.length, time: now - began });
  }

  /** If `read` throws, only this connection is closed. */
  #guard(read: () => void): void {
    try {
      read();
    } catch (error) {
      this.#deps.logger.error(
        { event: 'syslog-data-not-processed', err: error, address: this.address },
        'Cannot process data from a syslog connection because of a bug. Please report it',
      );
      this.#socket.destroy();
    }
  }

  #refuse(): void {
    if (this.#socket.destroyed) return;
    this.#deps.connections.refused += 1;
    this.#socket.destroy();
  }
}

const ADVICE: Readonly<Record<string, string>> = {
  EADDRINUSE:
    'another program is using this port; stop that program, or configure another port here and in FortiAuthenticator',
  EACCES: 'ports below 1024 require a privilege; use a higher port, or grant CAP_NET_BIND_SERVICE',
  EADDRNOTAVAIL: 'this machine does not have this address; use one of its addresses, or 0.0.0.0 for all addresses',
};

export function bindError(what: string, { address, port }: ListenAddress, cause: unknown): Error {
  const advice = ADVICE[errorCode(cause) ?? ''];
  return new Error(
    `Cannot listen for syslog over ${what} on "${authority({ host: address, port })}": ${messageOf(cause)}` +
      (advice === undefined ? '' : `; ${advice}`),
    { cause },
  );
}

interface Pausable {
  pause(): unknown;
  resume(): unknown;
}

/**
 * Limits the work on lines in each turn of the event loop. Otherwise, a thousand busy connections, or lines that take long
 * to examine, would delay timers and probes. Bytes are limited too, because they are garbage until the turn ends.
 */
export interface TurnBudget {
  add(stream: Pausable): void;
  remove(stream: Pausable): void;
  /** When the budget is used up, all streams are paused until the next turn. */
  spend(stream: Pausable, work: { readonly bytes: number; readonly time: Millis }): void;
}

/** Ordinary lines of 1 MiB take about 4 ms. */
const BYTES_A_TURN = 1024 * 1024;
const TIME_A_TURN: Millis = 8;

export function createTurnBudget(): TurnBudget {
  /**
   * The least recently read stream comes first. Paused streams resume in this order, so that a busy stream cannot block
   * the others.
   */
  const streams = new Set<Pausable>();
  let spentBytes = 0;
  let spentTime: Millis = 0;
  let waiting = false;
  let scheduled = false;

  function nextTurn(): void {
    scheduled = false;
    spentBytes = 0;
    spentTime = 0;
    if (!waiting) return;
    waiting = false;
    for (const stream of streams) stream.resume();
  }

  return {
    add: (stream) => {
      streams.add(stream);
      if (waiting) stream.pause();
    },
    remove: (stream) => streams.delete(stream),
    spend: (served, { bytes, time }) => {
      spentBytes += bytes;
      spentTime += time;
      if (streams.delete(served)) streams.add(served);
      if (!scheduled) {
        scheduled = true;
        setImmediate(nextTurn);
      }
      if ((spentBytes < BYTES_A_TURN && spentTime < TIME_A_TURN) || waiting) return;
      waiting = true;
      for (const stream of streams) stream.pause();
    },
  };
}
