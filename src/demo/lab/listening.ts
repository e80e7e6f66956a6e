import { once } from 'node:events';
import type { Server, Socket } from 'node:net';

/** An address on this machine. */
export interface Place {
  /** @default 127.0.0.1 */
  readonly address?: string | undefined;
  /** @default 0: any free port */
  readonly port?: number | undefined;
}

/** A server that listens. Disposing of it also cuts its connections. */
export interface Listening extends AsyncDisposable {
  readonly port: number;
  /** Open connections. Of TLS, these are the sockets below. */
  readonly sockets: ReadonlySet<Socket>;
  readonly close: () => Promise<void>;
}

/**
 * Lets a server listen: TCP, TLS, HTTP, HTTPS or HTTP/2. A client that hangs up, or never finishes its handshake, is no
 * error.
 */
export async function listening(server: Server, { address = '127.0.0.1', port = 0 }: Place = {}): Promise<Listening> {
  const sockets = new Set<Socket>();
  server.on('tlsClientError', () => undefined);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
  });
  server.listen(port, address);
  await once(server, 'listening');
  const bound = server.address();
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : port,
    sockets,
    close,
    [Symbol.asyncDispose]: close,
  };
}
