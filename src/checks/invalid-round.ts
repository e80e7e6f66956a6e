import type { Assessment } from '../engine/assessment.ts';
import type { Millis } from '../core/clock.ts';
import type { RoundObservations } from '../core/round.ts';

/** A process that stood still for longer than this measured itself, not its targets. */
const TOLERATED_STALL: Millis = 1_000;

/** Whether a round says nothing about its targets, because this process stood still during it. */
export function isInvalid({ stalledMs }: Pick<RoundObservations, 'stalledMs'>): boolean {
  return stalledMs > TOLERATED_STALL;
}

/** Takes back what a void round found: ftm-watch never reports its own trouble as the target's. */
export function invalidWhenStalled(
  assessments: readonly Assessment[],
  round: Pick<RoundObservations, 'stalledMs'>,
): readonly Assessment[] {
  if (!isInvalid(round)) return assessments;
  const summary = `ftm-watch itself stood still for ${(round.stalledMs / 1000).toFixed(1)} s during the round: nothing was judged`;
  return assessments.map(({ id, kind }) => ({
    id,
    kind: kind === 'judged' ? 'unjudged' : kind,
    findings: [],
    summary,
  }));
}
