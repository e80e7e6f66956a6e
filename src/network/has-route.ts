import { createSocket } from 'node:dgram';
import { isIP } from 'node:net';

/**
 * Whether this machine has a route to an address. A UDP socket is connected, which asks the kernel's routing table and
 * sends nothing (connect(2)). A router that answers "no route" by ICMP fails a TCP connection with the same error as a
 * route that is missing here.
 *
 * @param address a literal one: a name would wait for a resolver
 */
export function hasRoute(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket(isIP(address) === 6 ? 'udp6' : 'udp4');
    let ended = false;
    function end(has: boolean): void {
      if (ended) return;
      ended = true;
      resolve(has);
      socket.close();
    }
    socket.on('error', () => end(false));
    socket.once('connect', () => end(true));
    // Any port: nothing is sent.
    socket.connect(9, address);
  });
}
