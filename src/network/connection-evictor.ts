import type { Socket } from 'node:net';

/** The connections of one listener: so many at once and no more, and nobody keeps a place by saying nothing. */
export interface ConnectionEvictor {
  /**
   * Takes in a connection as it was accepted, before any TLS. With too many it closes the quietest: a stranger's while
   * there is one, the newcomer itself where it is the only stranger among acquaintances.
   */
  enter(socket: Socket): void;
}

export interface CrowdRules {
  readonly places: number;
  /** Strangers make room for these. */
  readonly isAcquaintance: (address: string) => boolean;
  readonly onTurnedOut: () => void;
}

/** Bytes heard from each when it was last looked at; who has gone without a look for longest stands first. */
type Group = Map<Socket, number>;

/**
 * Closing the quietest, instead of turning the newcomer away, is what keeps the door open: places are taken by silence
 * at no cost.
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
 * Who has said nothing since the last look, those who are here for longest first. Who did speak goes to the end of the
 * line, so that a look at many is seldom: the "second chance" of page replacement. Bytes are those of the connection
 * itself, below TLS and HTTP.
 */
function quietest(group: Group): Socket | null {
  for (const [socket, heard] of group) {
    if (socket.bytesRead === heard) return socket;
    group.delete(socket);
    group.set(socket, socket.bytesRead);
  }
  return null;
}
