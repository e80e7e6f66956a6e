import type { Socket } from 'node:net';

/** Limits the number of connections of one listener and prevents idle connections from occupying all places. */
interface ConnectionEvictor {
  /**
   * Adds a connection as soon as it is accepted, before any TLS. If there are too many, closes the quietest one from an
   * unknown address. A new connection from an unknown address is closed itself if all others are from known addresses.
   */
  enter(socket: Socket): void;
}

interface CrowdRules {
  readonly places: number;
  /** Reports whether an address is known. Connections from unknown addresses are closed first. */
  readonly isAcquaintance: (address: string) => boolean;
  readonly onTurnedOut: () => void;
}

/** Bytes received on each connection at its last check; the least recently checked connection is first. */
type Group = Map<Socket, number>;

/**
 * Closes the quietest connection instead of rejecting the new one, because anyone could otherwise occupy all places
 * with idle connections at no cost.
 */
export function createConnectionEvictor({ places, isAcquaintance, onTurnedOut }: CrowdRules): ConnectionEvictor {
  const strangers: Group = new Map();
  const acquaintances: Group = new Map();

  function turnOut(socket: Socket): void {
    strangers.delete(socket);
    acquaintances.delete(socket);
    socket.destroy();
    onTurnedOut();
  }

  return {
    enter(socket) {
      const group = isAcquaintance(socket.remoteAddress ?? '') ? acquaintances : strangers;
      if (strangers.size + acquaintances.size >= places) {
        const quiet = quietest(strangers) ?? (group === acquaintances ? quietest(acquaintances) : null) ?? socket;
        turnOut(quiet);
        if (quiet === socket) return;
      }
      group.set(socket, 0);
      socket.once('close', () => group.delete(socket));
    },
  };
}

/**
 * Returns the first connection without new bytes since its last check. Connections with new bytes move to the end of
 * the queue, so long scans are rare ("second chance" page replacement). Bytes are counted on the connection itself,
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
