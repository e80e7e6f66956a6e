import type { Assessment } from '../../../../src/engine/model.ts';
import { diagnose } from '../../../../src/engine/diagnose.ts';
import { CONTEXT } from '../../../support/checks/judged-round.ts';

/** Returns a summary of the diagnosis of a round. */
export function outcome(assessments: readonly Assessment[]) {
  const { ready, causes, preconditions } = diagnose(assessments, CONTEXT);
  const inState = (state: string) => preconditions.filter((status) => status.state === state).map(({ id }) => id);
  return {
    ready,
    causes: causes.map(({ id, severity }) => `${severity} ${id}`),
    broken: inState('broken'),
    blocked: inState('blocked'),
  };
}
