import type { Diagnosis } from '../engine/diagnosis.ts';
import type { OperatorLog } from '../system/operator-log.ts';

/**
 * Writes a diagnosis to the log when it differs from the one before: a log that repeats itself each round is read by
 * nobody.
 */
export function createDiagnosisLog(logger: OperatorLog): (diagnosis: Diagnosis) => void {
  let before = '';
  return ({ ready, causes, preconditions }) => {
    const shown = {
      ready,
      causes: causes.map(({ id, severity, subject }) => ({ id, severity, subject })),
      ...(ready === 'unknown'
        ? { unknown: preconditions.filter(({ state }) => state === 'unknown').map(({ id }) => id) }
        : {}),
    };
    const now = JSON.stringify({ ...shown, causes: shown.causes.map((cause) => JSON.stringify(cause)).toSorted() });
    if (now === before) return;
    before = now;
    if (ready === 'ready') logger.info(shown, 'Activation can work');
    else if (ready === 'not-ready') logger.warn(shown, 'Activation cannot work');
    else logger.warn(shown, 'Whether activation can work is unknown');
  };
}
