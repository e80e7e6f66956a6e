import type { CauseId, Severity } from '../cause.ts';
import { CATALOGUE } from './catalogue.ts';

/** A part that ftm-watch does not see and that may work: nothing is known to be broken or at risk. */
export function isOnlyUnseen({ id, severity }: { readonly id: CauseId; readonly severity: Severity }): boolean {
  return severity !== 'critical' && CATALOGUE[id].impact === 'blind';
}
