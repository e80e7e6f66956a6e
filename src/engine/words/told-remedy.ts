import { type Remedy, type RemedyStep, sentenceStep } from '../remedy.ts';
import { fillCommands } from './command-words.ts';
import type { CommandStep, Step } from './step.ts';
import { fill, type WordingFacts } from './wording.ts';

/** What is told of the steps of a remedy. */
export function remedyOf(steps: readonly Step[], facts: WordingFacts): Remedy {
  const remedySteps = steps.map((step) => toldStep(step, facts));
  return { remedy: remedySteps.map(sentenceOf), remedySteps };
}

function toldStep(step: Step, facts: WordingFacts): RemedyStep {
  return typeof step === 'string' ? sentenceStep(fill(step, facts)) : commandStep(step, facts);
}

function commandStep({ text, commands, undo, syntax }: CommandStep, facts: WordingFacts): RemedyStep {
  const forth = fillCommands(commands, facts);
  const back = undo === null ? null : fillCommands(undo, facts);
  const blanks = new Map([...forth.blanks, ...(back?.blanks ?? [])].map((blank) => [blank.name, blank]));
  return {
    text: fill(text, facts),
    commands: forth.text,
    undo: back?.text ?? null,
    syntax,
    blanks: [...blanks.values()],
  };
}

/** More do not read well within a sentence. */
const MOST_QUOTED = 3;

/** The step as one sentence: short commands stand at its end, longer ones in their block alone. */
function sentenceOf({ text, commands }: RemedyStep): string {
  const lines = (commands ?? '').split('\n').map((line) => line.trim());
  if (commands === null || lines.length > MOST_QUOTED) return text;
  return `${text} ${lines.length === 1 ? 'Command' : 'Commands'}: ${lines.map((line) => `"${line}"`).join(', ')}.`;
}
