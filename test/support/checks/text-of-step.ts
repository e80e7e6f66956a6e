import type { Step } from '../../../src/engine/model.ts';

export function textOfStep(step: Step): string {
  return typeof step === 'string' ? step : step.text;
}
