import type { EpochMs } from '../clock.ts';
import type { Resource } from './resource.ts';

/** What the session table of a firewall told of one flow. */
export interface SessionLook {
  /** When it was asked. */
  readonly at: EpochMs;
  readonly seen: Resource<SessionCounts>;
}

/** TCP sessions that are open now. Those that began a moment ago are left out: their answer may be on its way. */
export interface SessionCounts {
  /** Something came back. */
  readonly answered: number;
  /** Something was sent, and nothing came back. */
  readonly silent: number;
}
