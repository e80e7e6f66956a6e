import { createColors } from 'picocolors';
import {
  activationOutlook,
  type ActivationStep,
  type StepAnswer,
  outlookSentence,
} from '../checks/activation-steps.ts';
import type { Diagnosis } from '../engine/model.ts';
import { type Colors, type TextStyle, told } from '../document/terminal.ts';

const WORDS: Readonly<Record<StepAnswer, string>> = {
  passes: 'will pass',
  fails: 'will fail',
  'not-visible': 'not visible from here',
};

/** The steps of an activation for a person at a terminal, and whether it would succeed. Ends with a line break. */
export function renderSteps(diagnosis: Diagnosis, style: TextStyle): string {
  const colors = createColors(style.color);
  const outlook = activationOutlook(diagnosis);
  return [
    colors.bold('If somebody activates a licence or a token now'),
    '',
    ...outlook.steps.flatMap((step, index) => stepLines(step, index + 1, style, colors)),
    '',
    ...told(outlookSentence(outlook), style.width).map(colors.bold),
    '',
  ].join('\n');
}

function stepLines(step: ActivationStep, number: number, { width }: TextStyle, colors: Colors): readonly string[] {
  const paint = painter(step.answer, colors);
  // The cause stands above, with its commands on lines of their own.
  const toDo = step.answer === 'fails' && step.remedy.length > 0 ? ['See the remedy above.'] : step.remedy;
  const below = [step.why, ...toDo.map((line) => `→ ${line}`)];
  return [
    `  ${String(number)}. ${step.title}: ${paint(WORDS[step.answer])}`,
    ...below.flatMap((text) => told(text, width, '     ')).map(colors.dim),
  ];
}

function painter(answer: StepAnswer, colors: Colors): (text: string) => string {
  switch (answer) {
    case 'passes':
      return colors.green;
    case 'fails':
      return colors.red;
    case 'not-visible':
      return colors.yellow;
  }
}
