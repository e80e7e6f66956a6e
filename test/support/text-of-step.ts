import type { Step } from '../../src/engine/words/step.ts';

/** The sentence of a step. */
export function textOfStep(step: Step): string {
  return typeof step === 'string' ? step : step.text;
}
