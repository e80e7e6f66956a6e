import type { Socket } from 'node:net';
import type { Server, TLSSocket } from 'node:tls';
import type { Clock, Millis } from '../../core/clock.ts';

/** A normal verification takes 1 ms. */
const SLOW: Millis = 100;
/** After a slow handshake, handshakes with unknown addresses use at most a tenth of the time. */
const PAUSE_FACTOR = 10;
const MARK_EVERY: Millis = 50;
const MOST_KNOWN = 4096;

/**
 * Limits the time that unauthenticated clients can take from the event loop. OpenSSL verifies a client's certificates
 * on the event loop before any login, and a chain with slow keys takes up to a second. After such a handshake, all
 * other handshakes of the same address and of unknown addresses are cancelled, and connections from unknown addresses
 * are closed for a while. An address is known if its last handshake was fast or its certificate is trusted.
 */
export function limitHandshakes(server: Server, clock: Clock): void {
  const pending = new Set<Socket>();
  const known = new Set<string>();
  let pausedUntil: Millis = 0;
  let markedAt = cpuMs();
  let cancelMark: (() => void) | null = null;

  /** Called every 50 ms during handshakes, so that the time since the last call shows what a handshake cost. */
  function mark(): void {
    markedAt = cpuMs();
    cancelMark?.();
    cancelMark = pending.size === 0 ? null : clock.after(MARK_EVERY, mark);
  }

  function ended(tlsSocket: TLSSocket): void {
    const { remoteAddress: address = '', remotePort } = tlsSocket;
    for (const socket of pending)
      if (socket.remoteAddress === address && socket.remotePort === remotePort) pending.delete(socket);
    const blocked = cpuMs() - markedAt;
    known.delete(address);
    if (tlsSocket.authorized || blocked < SLOW) {
      known.add(address);
      for (const oldest of [...known].slice(0, -MOST_KNOWN)) known.delete(oldest);
    } else {
      pausedUntil = clock.elapsed() + PAUSE_FACTOR * blocked;
      for (const socket of pending) if (!known.has(socket.remoteAddress ?? '')) socket.destroy();
    }
    mark();
  }

  server.on('connection', (socket: Socket) => {
    if (clock.elapsed() < pausedUntil && !known.has(socket.remoteAddress ?? '')) {
      socket.destroy();
      return;
    }
    pending.add(socket);
    socket.once('close', () => pending.delete(socket));
    if (cancelMark === null) mark();
  });
  server.on('secureConnection', ended);
  server.on('tlsClientError', (_error: Error, socket: TLSSocket) => ended(socket));
}

/** Unlike elapsed time, CPU time does not increase while other processes use the processor. */
function cpuMs(): Millis {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
