import type { RoundObservations } from '../core/round.ts';
import type { Diagnosis } from '../engine/model.ts';
import type { TargetFacts } from './check.ts';

export interface RoundResult {
  readonly diagnosis: Diagnosis;
  readonly observations: RoundObservations;
  /** The licence server first, then the services. */
  readonly targets: readonly TargetFacts[];
}
