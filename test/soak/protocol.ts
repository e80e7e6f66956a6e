import type { EpochMs, Millis } from '../../src/core/clock.ts';

/** Orders from the conductor to the product's process. Each is answered by one `done`. */
export type Order =
  /** Advances until then, on the monotonic clock. */
  | { readonly kind: 'advance'; readonly until: Millis }
  /** Moves the wall clock by this amount. */
  | { readonly kind: 'set-clock'; readonly by: Millis }
  /** Stops the daemon and starts it again, in the same process. */
  | { readonly kind: 'restart' }
  /** Reloads the configuration, as after SIGHUP. */
  | { readonly kind: 'reload' }
  /** Collects garbage and measures memory. */
  | { readonly kind: 'measure' }
  | { readonly kind: 'stop' };

/** Memory of the product's process, in bytes, after garbage collection. */
export interface Memory {
  readonly resident: number;
  /** V8 heap in use. */
  readonly heap: number;
  /** Memory outside of the heap that is held by V8's objects. */
  readonly external: number;
}

/** Messages from the product's process. */
export type Report =
  | { readonly kind: 'started' }
  | {
      readonly kind: 'done';
      readonly at: Millis;
      readonly said: readonly SaidLine[];
      /** null if it was not requested. */
      readonly memory: Memory | null;
    }
  /** The process is idle, but data is in transit over a socket. The next timer is due at `next`. */
  | { readonly kind: 'waiting'; readonly at: Millis; readonly next: Millis };

/** How to continue. `again`: data was sent just now; `go`: time advances until then. */
export type Permission = { readonly kind: 'again' } | { readonly kind: 'go'; readonly until: Millis };

/** A line of the product's own log. */
export interface SaidLine {
  /** Monotonic. */
  readonly at: Millis;
  readonly level: number;
  readonly event: string;
  readonly incident?: string;
  readonly transition?: string;
  readonly cause?: string;
  readonly severity?: string;
  readonly subject?: string;
  /** Causes of a round whose result differs from the round before. */
  readonly causes?: readonly { readonly id: string }[];
  /** The line as written. */
  readonly text: string;
}

export interface ProductOptions {
  readonly configFile: string;
  readonly folder: string;
  readonly start: EpochMs;
}
