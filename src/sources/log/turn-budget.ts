/** A stream that can be made to wait. */
export interface Pausable {
  pause(): unknown;
  resume(): unknown;
}

/**
 * Shares out each turn of the event loop. Without it a thousand busy connections would be read to the last byte before
 * any timer runs, and the probes would be late.
 */
export interface TurnBudget {
  add(stream: Pausable): void;
  remove(stream: Pausable): void;
  /** `stream` gave so many bytes. When the turn's share is used up, all streams wait for the next turn. */
  spend(stream: Pausable, bytes: number): void;
}

/** About 4 ms of work. */
const BYTES_A_TURN = 1024 * 1024;

export function createTurnBudget(): TurnBudget {
  /** Least recently served first: in this order they go on, so that no busy one keeps another waiting for ever. */
  const streams = new Set<Pausable>();
  let spent = 0;
  let waiting = false;
  let scheduled = false;

  function nextTurn(): void {
    scheduled = false;
    spent = 0;
    if (!waiting) return;
    waiting = false;
    for (const stream of streams) stream.resume();
  }

  return {
    add: (stream) => {
      streams.add(stream);
      if (waiting) stream.pause();
    },
    remove: (stream) => streams.delete(stream),
    spend: (served, bytes) => {
      spent += bytes;
      if (streams.delete(served)) streams.add(served);
      if (!scheduled) {
        scheduled = true;
        setImmediate(nextTurn);
      }
      if (spent < BYTES_A_TURN || waiting) return;
      waiting = true;
      for (const stream of streams) stream.pause();
    },
  };
}
