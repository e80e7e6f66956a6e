import type { PathObservation } from '../core/round.ts';
import type { Assessment } from '../engine/assessment.ts';
import type { OwnClock } from './clock/estimate.ts';
import type { JudgedTlsPath } from './tls-genuine/judge-tls-path.ts';

/** What the checks say of one round. */
export interface JudgedRound {
  /** Of the preconditions that the probes look at. */
  readonly assessments: readonly Assessment[];
  /** The verdicts on the licence server, then on the services. */
  readonly tls: readonly { readonly path: PathObservation; readonly judged: JudgedTlsPath }[];
  /** Our own clock; null or absent: the round did not find it out. */
  readonly ownClock?: OwnClock | null;
}
