import type { RoundResult } from '../report/round-result.ts';
import { isInvalid } from '../core/invalid-round.ts';

/**
 * What is new and critical is looked at again at once: what was there only once is gone then, and what stays is told
 * within seconds, not a schedule later. So is what could not be judged because this process stalled, unless it does
 * so again and again.
 */
export function deservesAnotherLook(before: RoundResult | null, { observations, diagnosis }: RoundResult): boolean {
  if (isInvalid(observations)) return before === null || !isInvalid(before.observations);
  const known = new Set(before?.diagnosis.causes.map(({ id, subject }) => `${id} ${subject}`));
  return diagnosis.causes.some(
    ({ id, subject, severity }) => severity === 'critical' && !known.has(`${id} ${subject}`),
  );
}
