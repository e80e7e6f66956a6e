import type { Socket } from 'node:net';

interface ConnectionEvictor {
  /**
   * Adds a connection as soon as it is accepted, before TLS starts. If the limit is exceeded, the least active
   * connection from an unknown address is closed. If all existing connections are from known addresses, a new
   * connection from an unknown address is closed instead.
   */
  enter(socket: Socket): void;
}

interface EvictorOptions {
  readonly places: number;
  /** Connections from unknown addresses are closed first. */
  readonly isKnownAddress: (address: string) => boolean;
  readonly onEvicted: (isKnown: boolean) => void;
}

/**
 * The number of bytes that each connection had received at its last check. The connection that was checked least
 * recently comes first.
 */
type Group = Map<Socket, number>;

/** Closes the least active connection, because an attacker could otherwise exhaust the limit with idle connections. */
export function createConnectionEvictor({ places, isKnownAddress, onEvicted }: EvictorOptions): ConnectionEvictor {
  const unknownPeers: Group = new Map();
  const knownPeers: Group = new Map();

  function evict(socket: Socket): void {
    unknownPeers.delete(socket);
    const isKnown = knownPeers.delete(socket);
    socket.destroy();
    onEvicted(isKnown);
  }

  return {
    enter(socket) {
      const group = isKnownAddress(socket.remoteAddress ?? '') ? knownPeers : unknownPeers;
      if (unknownPeers.size + knownPeers.size >= places) {
        const quiet = quietest(unknownPeers) ?? (group === knownPeers ? quietest(knownPeers) : null) ?? socket;
        evict(quiet);
        if (quiet === socket) return;
      }
      group.set(socket, 0);
      socket.once('close', () => {
        unknownPeers.delete(socket);
        knownPeers.delete(socket);
      });
    },
  };
}

/**
 * Returns the first connection that has received nothing since its last check. Connections with new bytes move to the
 * end of the queue, so long scans are rare ("second chance" page replacement). Bytes are counted on the TCP connection,
 * below TLS and HTTP.
 */
function quietest(group: Group): Socket | null {
  for (const [socket, heard] of group) {
    if (socket.bytesRead === heard) return socket;
    group.delete(socket);
    group.set(socket, socket.bytesRead);
  }
  return null;
}
