import type { Clock, Millis } from '../../core/clock.ts';
import { systemClock } from '../../system/clock.ts';

/** How slowly a peer answers. */
export interface Trickle {
  /** @default the real one */
  readonly clock?: Clock;
  /** @default 1 s */
  readonly every?: Millis;
}

interface Stream {
  write(piece: Buffer): unknown;
  once(event: 'close', ended: () => void): unknown;
}

/** Writes a piece again and again, until the stream is closed. */
export function trickle(stream: Stream, piece: Buffer, { clock = systemClock, every = 1000 }: Trickle): void {
  const write = (): void => {
    stream.write(piece);
    cancel = clock.after(every, write);
  };
  let cancel = clock.after(every, write);
  stream.once('close', () => cancel());
}
