import type { ActivationOutlook, ActivationStep, StepAnswer } from '../../checks/activation-steps.ts';
import { breakable, type Markup, markup } from './markup.ts';
import { badge, type Tone } from './signs.ts';

const TONES: Readonly<Record<StepAnswer, Tone>> = { passes: 'good', fails: 'bad', 'not-visible': 'unsure' };

const WORDS: Readonly<Record<StepAnswer, string>> = {
  passes: 'Will pass',
  fails: 'Will fail',
  'not-visible': 'Not visible from here',
};

/** The answer in one line, which leads to the steps. */
export function outlookLine(outlook: ActivationOutlook): Markup {
  return markup`<p class="outlook"><a href="#steps">Would an activation succeed now? ${answerText(outlook)}</a></p>`;
}

function answerText({ answer, steps }: ActivationOutlook): string {
  switch (answer) {
    case 'fails': {
      const failing = steps.findIndex((step) => step.answer === 'fails');
      return failing < 0 ? 'No.' : `No: it fails at step ${String(failing + 1)} of ${String(steps.length)}.`;
    }
    case 'not-visible':
      return 'It cannot be told.';
    case 'passes':
      return 'Nothing that can be seen would stop it.';
  }
}

/** The steps of an activation, each with its answer. */
export function stepsView({ steps }: ActivationOutlook): Markup {
  return markup`<details id="steps"><summary>The steps of an activation</summary>
<ol class="steps">${steps.map(stepView)}</ol></details>`;
}

function stepView({ title, answer, why, remedy }: ActivationStep): Markup {
  // The page has the cause in full, once.
  const said = answer === 'fails' ? ['Its cause stands above, with what to do.'] : [why, ...remedy];
  return markup`<li><strong>${title}</strong> ${badge(TONES[answer], WORDS[answer])}
${said.map((line) => markup`<p class="quiet">${breakable(line)}</p>`)}</li>`;
}
