import { setImmediate as turn } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import type { HostPort } from '../../src/core/addresses.ts';
import { createProbeSecureContext } from '../../src/network/tls/secure-context.ts';

type Server = HostPort & { readonly serverName: string | null };

/** The product's own context, because another one would measure different cryptography. */
const secureContext = createProbeSecureContext();

/** Makes a handshake and nothing else. */
export async function bareHandshake(server: Server): Promise<readonly never[]> {
  const socket = await shakeHands(server);
  // The client's last message has been sent by then. Otherwise the server would not count the handshake.
  await turn();
  socket.destroy();
  return [];
}

/** Makes a handshake and sends one request. The server closes the connection after its answer. */
export async function bareRequest(server: Server): Promise<readonly never[]> {
  const socket = await shakeHands(server);
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject).once('end', resolve).resume();
    socket.write(`GET / HTTP/1.1\r\nHost: ${server.host}\r\nConnection: close\r\n\r\n`);
  });
  socket.destroy();
  return [];
}

function shakeHands({ host, port, serverName }: Server): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port,
      secureContext,
      rejectUnauthorized: false,
      ...(serverName === null ? {} : { servername: serverName }),
    });
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      socket.off('error', reject).on('error', () => undefined);
      resolve(socket);
    });
  });
}
