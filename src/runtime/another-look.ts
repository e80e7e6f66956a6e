import type { RoundResult } from '../report/round-result.ts';
import { isCorroborated } from '../engine/diagnosis/corroborated.ts';
import { isInvalid } from '../core/invalid-round.ts';

/**
 * What is new and critical is looked at again at once: what was there only once is gone then, and what stays is told
 * within seconds, not a schedule later. What two witnesses agree on was told already. What could not be judged because
 * this process stalled is looked at again too, unless it stalls again and again.
 */
export function deservesAnotherLook(before: RoundResult | null, { observations, diagnosis }: RoundResult): boolean {
  if (isInvalid(observations)) return before === null || !isInvalid(before.observations);
  const known = new Set(before?.diagnosis.causes.map(({ id, subject }) => `${id} ${subject}`));
  return diagnosis.causes.some(
    (cause) =>
      cause.severity === 'critical' && !known.has(`${cause.id} ${cause.subject}`) && !isCorroborated(diagnosis, cause),
  );
}
