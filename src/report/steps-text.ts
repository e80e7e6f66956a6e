import { createColors } from 'picocolors';
import {
  activationOutlook,
  type ActivationStep,
  type StepAnswer,
  outlookSentence,
} from '../checks/activation-steps.ts';
import { visibleText } from '../core/visible-text.ts';
import type { Diagnosis } from '../engine/model.ts';
import { wrap } from '../text/wrap.ts';
import type { TextStyle } from './report-text.ts';

type Colors = ReturnType<typeof createColors>;

const WORDS: Readonly<Record<StepAnswer, string>> = {
  passes: 'will pass',
  fails: 'will fail',
  'not-visible': 'not visible from here',
};

/** Columns before the text under a step. */
const INDENT = 5;
/** A single text longer than this is somebody's attempt to flood the terminal. */
const TEXT_LIMIT = 1_000;

/** The steps of an activation for a person at a terminal, and whether it would succeed. Ends with a line break. */
export function renderSteps(diagnosis: Diagnosis, style: TextStyle): string {
  const colors = createColors(style.color);
  const outlook = activationOutlook(diagnosis);
  return [
    colors.bold('If somebody activates a licence or a token now'),
    '',
    ...outlook.steps.flatMap((step, index) => stepLines(step, index + 1, style, colors)),
    '',
    ...wrap(visibleText(outlookSentence(outlook), TEXT_LIMIT), style.width).map((line) => colors.bold(line)),
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
    ...below
      .flatMap((text) => wrap(visibleText(text, TEXT_LIMIT), width - INDENT))
      .map((line) => `${' '.repeat(INDENT)}${colors.dim(line)}`),
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
