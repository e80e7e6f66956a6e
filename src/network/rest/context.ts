import type { Clock, Millis } from '../../core/clock.ts';

/** What every connector needs besides its own target. */
export interface ConnectorContext {
  readonly clock: Clock;
  /** Aborted when the round is called off. */
  readonly signal: AbortSignal;
  /** Where secrets named by variable are read from. */
  readonly env: NodeJS.ProcessEnv;
  /** Resolves in a turn of the event loop that no other answer is read in: peers can make that long. */
  readonly ownTurn: () => Promise<void>;
  /** How long one answer is waited for. @default 10 s */
  readonly answerLimit?: Millis;
}
