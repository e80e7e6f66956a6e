import type { Cause } from '../engine/cause.ts';
import { wordsOf } from './registry.ts';

/** A part that ftm-watch does not see and that may work: nothing is known to be broken or at risk. */
export function isOnlyUnseen({ id, severity }: Pick<Cause, 'id' | 'severity'>): boolean {
  return severity !== 'critical' && wordsOf(id).impact === 'blind';
}
