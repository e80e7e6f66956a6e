import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import type { ListenAddress } from '../../config/schema/host-port.ts';
import type { SyslogTls } from './section.ts';
import { createConnectionEvictor } from '../../network/connection-evictor.ts';
import { errorCode } from '../../network/failure.ts';
import type { Millis } from '../../core/clock.ts';
import type { ServedCertificate } from '../../network/tls/served-certificate.ts';
import { beat } from '../../system/beat.ts';
import { bindError } from './bind-error.ts';
import type { LineTally } from './tally.ts';
import { TcpConnection, type ConnectionDeps } from './tcp-connection.ts';

/**
 * Limits of one listener; the memory of all is bounded by the `LineBudget`. Silence between two lines is no fault,
 * an appliance may have nothing to say for hours; so a connection that never says anything stays until its place is
 * wanted.
 */
export interface ConnectionLimits {
  /** Connections at once; for the next one the quietest is closed, a stranger's first. */
  readonly connections: number;
  /** A line that was begun gets no further byte for so long: it is taken as it is, and the connection closed. */
  readonly stalledLine: Millis;
  /** A line takes longer than this, however busy the sender: the same. */
  readonly endlessLine: Millis;
}

export const CONNECTION_LIMITS: ConnectionLimits = { connections: 2048, stalledLine: 60_000, endlessLine: 600_000 };

const LOOK_EVERY: Millis = 5000;
const NO_CERTIFICATE = 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE';
const HANDSHAKE: Millis = 10_000;

export interface TcpOptions extends ConnectionDeps {
  readonly listen: ListenAddress;
  readonly tls: SyslogTls | null;
  /** What `tls` names; null: nothing. */
  readonly certificate: ServedCertificate | null;
  readonly limits: ConnectionLimits;
  readonly tally: LineTally;
  /** Addresses that strangers make room for. */
  readonly isKnown: (address: string) => boolean;
  /** Senders that are turned away at once: nothing in their lines could make them welcome. */
  readonly refuses: (address: string) => boolean;
  readonly onStuck: (address: string) => void;
  readonly onFailedHandshake: (address: string, error: Error) => void;
  /** Somebody had to go for the next one. */
  readonly onOverLimit: () => void;
}

export interface TcpListener {
  readonly address: ListenAddress;
  stop(): Promise<void>;
}

/**
 * Syslog over TCP or TLS: lines that end with a line break or are counted in octets (RFC 6587), seen for each frame.
 * @throws {Error} when the port cannot be bound
 */
export async function listenTcp(options: TcpOptions): Promise<TcpListener> {
  const { listen, limits, tls } = options;
  const { server, follow } = createListener(options);
  const open = new Set<TcpConnection>();
  /** Before any TLS: what has to be closed for the server to end. */
  const sockets = new Set<Socket>();
  const crowd = createConnectionEvictor({
    places: limits.connections,
    isAcquaintance: options.isKnown,
    onTurnedOut: () => {
      options.connections['over-limit'] += 1;
      options.tally.dropped += 1;
      options.onOverLimit();
    },
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    if (isRefused(socket, options)) socket.destroy();
    else crowd.enter(socket);
  });
  server.on(tls === null ? 'connection' : 'secureConnection', (socket: Socket) => accept(socket, open, options));
  await bindTcp(server, listen, tls === null ? 'TCP' : 'TLS');
  server.on('error', (error) => {
    options.logger.error({ err: error }, 'syslog listener failed');
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

/** @throws {Error} saying what to do, when the port cannot be bound */
export async function bindTcp(server: Server, listen: ListenAddress, what: 'TCP' | 'TLS'): Promise<void> {
  try {
    server.listen({ host: listen.address, port: listen.port, exclusive: true });
    await once(server, 'listening');
  } catch (error) {
    server.close();
    throw bindError(what, listen, error);
  }
}

interface Listener {
  readonly server: Server;
  /** Takes its certificate, and those whom it believes, as they change. */
  readonly follow: (onOtherClients: () => void) => () => void;
}

function createListener(options: TcpOptions): Listener {
  const { tls, certificate, connections, onFailedHandshake } = options;
  if (tls === null || certificate === null) return { server: createServer(), follow: () => () => undefined };
  const isAsked = tls.clientCaFile !== null;
  const server = createTlsServer({
    ...certificate.material(),
    handshakeTimeout: HANDSHAKE,
    requestCert: isAsked,
    rejectUnauthorized: isAsked,
  });
  server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
    connections[errorCode(error) === NO_CERTIFICATE ? 'no-certificate' : 'failed-handshake'] += 1;
    onFailedHandshake(socket.remoteAddress ?? '', error);
  });
  return { server, follow: (onOtherClients) => certificate.follow(server, { ...options, onOtherClients }) };
}

/** Before any TLS, and before somebody else is closed for it. */
function isRefused({ remoteAddress }: Socket, { refuses, connections, tally }: TcpOptions): boolean {
  if (!refuses(remoteAddress ?? '')) return false;
  tally.foreign += 1;
  connections.refused += 1;
  return true;
}

function accept(socket: Socket, open: Set<TcpConnection>, options: TcpOptions): void {
  if (socket.destroyed) return;
  const connection = new TcpConnection(socket, options, options.tls !== null);
  open.add(connection);
  socket.once('close', () => open.delete(connection));
  connection.open();
}

/** Closes, from time to time, the connections that began a line and do not end it. */
function watch({ clock, limits, connections, onStuck }: TcpOptions, open: ReadonlySet<TcpConnection>): () => void {
  return beat(clock, LOOK_EVERY, () => {
    const now = clock.elapsed();
    for (const connection of open) {
      if (!connection.isStuck(now, limits)) continue;
      connections['timed-out'] += 1;
      onStuck(connection.address);
      connection.close();
    }
  });
}
