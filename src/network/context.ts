import type { Clock } from '../core/clock.ts';

/** What every probe needs besides its own target. */
export interface ProbeContext {
  readonly clock: Clock;
  /** Aborted when the round is called off (shutdown, or the round's own time is up). */
  readonly signal: AbortSignal;
  /** The local address that probes leave from; null lets the kernel choose. */
  readonly sourceAddress: string | null;
  /** Where secrets named by variable are read from. */
  readonly env: NodeJS.ProcessEnv;
}
