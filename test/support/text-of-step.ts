import type { Step } from '../../src/engine/model.ts';

/** Returns the sentence of a step. */
export function textOfStep(step: Step): string {
  return typeof step === 'string' ? step : step.text;
}
