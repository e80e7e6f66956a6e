import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A port that passes everything on to another port, until it is shut. */
export interface Gate extends AsyncDisposable {
  readonly port: number;
  /** Resets all connections, and each new one. */
  shut(): void;
  open(): void;
}

export async function createGate(target: number): Promise<Gate> {
  const sockets = new Set<Socket>();
  let isShut = false;

  function track(socket: Socket): Socket {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    return socket.on('error', () => socket.destroy());
  }

  const server = createServer((client) => {
    track(client);
    if (isShut) {
      client.resetAndDestroy();
      return;
    }
    const beyond = track(connect(target, '127.0.0.1'));
    client.pipe(beyond).pipe(client);
    client.once('close', () => beyond.destroy());
    beyond.once('close', () => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    shut: () => {
      isShut = true;
      for (const socket of sockets) socket.resetAndDestroy();
    },
    open: () => {
      isShut = false;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
