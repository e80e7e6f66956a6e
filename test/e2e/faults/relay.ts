import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { listening } from '../../../src/demo/lab/listening.ts';

/** Clients are forgotten after this time. */
const UDP_CLIENT = 4_000;

/** Relays connections to this address to a port on loopback until the process exits. */
export async function relayTcp(address: string, port: number, to: number): Promise<void> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const up = connect({ port: to, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => up.destroy());
    up.on('error', () => socket.destroy());
    socket.pipe(up).pipe(socket);
  });
  await listening(server, { address, port });
}

/** Relays datagrams and the answers to them. */
export async function relayUdp(address: string, port: number, to: number): Promise<void> {
  const clients = new Map<string, Socket>();
  const outside = createSocket(address.includes(':') ? 'udp6' : 'udp4').on('error', () => undefined);
  outside.on('message', (bytes, from) => {
    const key = `${from.address} ${String(from.port)}`;
    const known = clients.get(key);
    const inside = known ?? createSocket('udp4').on('error', () => undefined);
    if (known === undefined) {
      clients.set(key, inside);
      inside.on('message', (answer) => outside.send(answer, from.port, from.address));
      setTimeout(() => {
        clients.delete(key);
        inside.close();
      }, UDP_CLIENT).unref();
    }
    inside.send(bytes, to, '127.0.0.1');
  });
  outside.bind(port, address);
  await once(outside, 'listening');
}
