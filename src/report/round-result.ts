import type { Diagnosis } from '../engine/diagnosis.ts';
import type { RoundObservations } from '../sources/registry.ts';
import type { JudgedRound } from '../checks/judged-round.ts';

/** One round with everything that came of it. */
export interface RoundResult {
  readonly diagnosis: Diagnosis;
  readonly observations: RoundObservations;
  readonly judged: JudgedRound;
}
