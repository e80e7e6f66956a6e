import type { ActivationOutlook } from './activation-steps.ts';

/** One sentence: would an activation succeed now? */
export function outlookSentence({ answer, steps }: ActivationOutlook): string {
  switch (answer) {
    case 'fails': {
      const failing = steps.find((step) => step.answer === 'fails');
      const where = failing === undefined ? '' : ` at step ${String(steps.indexOf(failing) + 1)}: ${failing.why}`;
      return withStop(`An activation would fail now${where}`);
    }
    case 'not-visible':
      return 'Whether an activation would succeed now cannot be told: not every step can be judged.';
    case 'passes': {
      const hidden = steps.filter((step) => step.answer === 'not-visible').length;
      const but = hidden === 0 ? '' : `; ${String(hidden)} of ${String(steps.length)} steps are not visible from here`;
      return `Nothing that can be seen would stop an activation now${but}.`;
    }
  }
}

function withStop(text: string): string {
  return text.endsWith('.') ? text : `${text}.`;
}
