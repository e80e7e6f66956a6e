import type { Assessment } from '../engine/assessment.ts';
import { isInvalid, type Timed } from '../core/invalid-round.ts';

/** Takes back what a void round found: ftm-watch never reports its own trouble as the target's. */
export function invalidWhenStalled(assessments: readonly Assessment[], round: Timed): readonly Assessment[] {
  if (!isInvalid(round)) return assessments;
  const summary =
    `ftm-watch itself stalled for ${(round.stalledMs / 1000).toFixed(1)} s during the round: nothing was ` + 'judged';
  return assessments.map(({ id, kind }) => ({
    id,
    kind: kind === 'judged' ? 'unjudged' : kind,
    findings: [],
    summary,
  }));
}
