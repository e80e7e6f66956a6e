import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { createServer as createTls } from 'node:tls';
import type { TLSSocket, TlsOptions } from 'node:tls';
import { chainPem } from '../../../src/demo/lab/identity.ts';
import type { Identity } from '../../../src/demo/lab/identity.ts';
import { listening } from '../../../src/demo/lab/listening.ts';

/** A server on loopback that is closed on disposal, with all its connections. */
export interface Peer extends AsyncDisposable {
  readonly port: number;
  /** Number of open connections. */
  readonly open: number;
  /** Number of connections so far. */
  readonly seen: number;
}

export interface TlsPeerOptions extends TlsOptions {
  /** Certificates in the order in which they are sent. The key of the first is used. */
  readonly chain: readonly [Identity, ...Identity[]];
  /** @default listens but sends nothing */
  readonly serve?: (socket: TLSSocket) => void;
}

export function createTlsPeer({ chain, serve, ...options }: TlsPeerOptions): Promise<Peer> {
  const server = createTls({ cert: chainPem(...chain), key: chain[0].keyPem, ...options }, (socket) => {
    socket.on('error', () => {});
    serve?.(socket);
  });
  return listen(server);
}

/** Starts a TCP server that treats each connection as a broken or hostile peer does. */
export function createTcpPeer(serve: (socket: Socket) => void, address = '127.0.0.1'): Promise<Peer> {
  return listen(createServer(serve), address);
}

/** As `createTcpPeer`, but after the client's first bytes (its ClientHello) have arrived. */
export function createPeerAtHello(serve: (socket: Socket, hello: Buffer) => void): Promise<Peer> {
  return createTcpPeer((socket) => {
    socket.once('data', (hello: Buffer) => {
      serve(socket, hello);
    });
  });
}

async function listen(server: Server, address = '127.0.0.1'): Promise<Peer> {
  let seen = 0;
  server.on('connection', () => {
    seen += 1;
  });
  const { port, sockets, close } = await listening(server, { address });
  return {
    port,
    get open(): number {
      return sockets.size;
    },
    get seen(): number {
      return seen;
    },
    [Symbol.asyncDispose]: close,
  };
}
