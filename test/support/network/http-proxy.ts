import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { createTcpPeer } from './tls-peer.ts';
import type { Peer } from './tls-peer.ts';

/** A CONNECT proxy that records requests as received. */
export interface ConnectProxy extends Peer {
  readonly asked: readonly string[];
}

/**
 * Starts a proxy that answers CONNECT with `answer` and, if that is a success, connects to `port` of loopback,
 * whatever host was requested, as a proxy with a separate resolver does.
 */
export async function createConnectProxy(
  port: number,
  answer = 'HTTP/1.1 200 Connection established\r\n\r\n',
): Promise<ConnectProxy> {
  const asked: string[] = [];
  const peer = await createTcpPeer((socket: Socket) => {
    socket.once('data', (request: Buffer) => {
      asked.push(request.toString('latin1'));
      if (!answer.startsWith('HTTP/1.1 2')) {
        socket.write(answer);
        return;
      }
      const up = connect(port, '127.0.0.1', () => {
        socket.write(answer);
        up.pipe(socket).pipe(up);
      });
      up.on('error', () => socket.destroy());
      socket.once('close', () => up.destroy());
    });
  });
  return {
    asked,
    port: peer.port,
    get open(): number {
      return peer.open;
    },
    get seen(): number {
      return peer.seen;
    },
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  };
}
