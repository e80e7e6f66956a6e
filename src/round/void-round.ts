import type { Assessment } from '../core/assessment.ts';
import type { Millis } from '../core/clock.ts';
import type { RoundObservations } from '../core/round.ts';

/** A process that stood still for longer than this measured itself, not its targets. */
const TOLERATED_STALL: Millis = 1_000;

/** Takes back what a round found when this process stood still during it: it never reports its own trouble as the target's. */
export function voidWhenStalled(assessments: readonly Assessment[], { stalledMs }: RoundObservations): readonly Assessment[] {
  if (stalledMs <= TOLERATED_STALL) return assessments;
  const summary = `ftm-watch itself stood still for ${(stalledMs / 1000).toFixed(1)} s during the round: nothing was judged`;
  return assessments.map(({ id, kind }) => ({ id, kind: kind === 'judged' ? 'unjudged' : kind, findings: [], summary }));
}
