import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

/** Counts the attempts of this process to connect to one port, successful or not. */
export interface Dialled extends Disposable {
  readonly count: number;
}

const CHANNEL = 'net.client.socket';

export function countDialled(port: number): Dialled {
  let count = 0;
  function onSocket(message: unknown): void {
    const { socket } = message as { readonly socket: Socket };
    socket.on('connectionAttempt', (_address: string, dialled: number) => {
      if (dialled === port) count += 1;
    });
  }
  subscribe(CHANNEL, onSocket);
  return {
    get count(): number {
      return count;
    },
    [Symbol.dispose]: () => unsubscribe(CHANNEL, onSocket),
  };
}
