import type { EpochMs, Millis } from '../../src/core/clock.ts';

/** What the conductor asks of the product's process. Each is answered by one `done`. */
export type Order =
  /** Lives on until then, on the monotonic clock. */
  | { readonly kind: 'advance'; readonly until: Millis }
  /** Sets the wall clock by so much. */
  | { readonly kind: 'set-clock'; readonly by: Millis }
  /** Stops the daemon and starts it again, in this process. */
  | { readonly kind: 'restart' }
  /** Reloads the configuration, as SIGHUP asks for it. */
  | { readonly kind: 'reload' }
  /** Collects garbage and measures. */
  | { readonly kind: 'measure' }
  | { readonly kind: 'stop' };

/** What the product's process takes, in bytes, after garbage was collected. */
export interface Memory {
  readonly resident: number;
  /** Of V8, in use. */
  readonly heap: number;
  /** Of what V8's objects hold outside of the heap. */
  readonly external: number;
}

/** What the product's process says. */
export type Report =
  | { readonly kind: 'started' }
  | {
      readonly kind: 'done';
      readonly at: Millis;
      readonly said: readonly SaidLine[];
      /** null: it was not asked for. */
      readonly memory: Memory | null;
    }
  /** Nothing moves here, and something is on its way over a socket; the next timer is due at `next`. */
  | { readonly kind: 'waiting'; readonly at: Millis; readonly next: Millis };

/** How waiting goes on. `again`: something was sent just now; else time goes on until then. */
export type Permission = { readonly kind: 'again' } | { readonly kind: 'go'; readonly until: Millis };

/** A line of the product's own log. */
export interface SaidLine {
  /** Monotonic. */
  readonly at: Millis;
  readonly level: number;
  readonly msg: string;
  readonly incident?: string;
  readonly transition?: string;
  readonly cause?: string;
  readonly severity?: string;
  readonly subject?: string;
  /** Of a round that found something else than the one before. */
  readonly causes?: readonly { readonly id: string }[];
  /** As it was written. */
  readonly text: string;
}

/** How the product's process is started. */
export interface ProductOptions {
  readonly configFile: string;
  readonly folder: string;
  readonly start: EpochMs;
}
