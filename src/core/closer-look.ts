import type { Millis } from './clock.ts';
import type { TlsOutcome } from './observation.ts';

/**
 * What more was asked of one address at which the handshake ended before any certificate. Null: it was not asked, or
 * its port did not open that time.
 */
export interface CloserLook {
  readonly address: string;
  /** How long each TCP connection to the address took to open; empty through a proxy, and after silence. */
  readonly connects: readonly Millis[];
  /** The longest that this process stalled meanwhile. */
  readonly stalledMs: Millis;
  /** The same hello once more. */
  readonly again: TlsOutcome | null;
  /** A hello with another server name, or without one (`name` null). */
  readonly otherName: { readonly name: string | null; readonly outcome: TlsOutcome } | null;
  /** A hello that a server can only refuse, in a few bytes. */
  readonly refusable: TlsOutcome | null;
  /** What the control hosts showed whose port opened. */
  readonly controls: readonly TlsOutcome[];
}
