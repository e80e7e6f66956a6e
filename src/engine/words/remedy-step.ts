import { type Blank, fillCommands } from './command-words.ts';
import type { CommandStep, Step, Syntax } from './step.ts';
import { fill, type WordingFacts } from './wording.ts';

/** One step of a remedy as it is told. Its JSON form is part of the contract (`check --json`). */
export interface RemedyStep {
  readonly text: string;
  /** A block of lines that does it, as it is copied; null: it is done by hand. */
  readonly commands: string | null;
  /** The block that takes it back; null: nothing is changed. */
  readonly undo: string | null;
  /** Whose command line takes the blocks. */
  readonly syntax: Syntax | null;
  /** What has to be filled in in the blocks first. */
  readonly blanks: readonly Blank[];
}

/** A remedy in both forms: the sentences, and the steps that they are made of. */
export interface Remedy {
  readonly remedy: readonly string[];
  readonly remedySteps: readonly RemedyStep[];
}

export function remedyOf(steps: readonly Step[], facts: WordingFacts): Remedy {
  const remedySteps = steps.map((step) => toldStep(step, facts));
  return { remedy: remedySteps.map(sentenceOf), remedySteps };
}

/** A step without commands. */
export function sentenceStep(text: string): RemedyStep {
  return { text, commands: null, undo: null, syntax: null, blanks: [] };
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

/** A block with the words that stand before it. */
export interface Block {
  readonly label: string;
  /** Lines that are never wrapped: they are copied as they stand. */
  readonly text: string;
}

const PLACES: Readonly<Record<Syntax, string>> = {
  shell: 'Shell',
  fortios: 'FortiGate CLI',
  fortiauthenticator: 'FortiAuthenticator CLI',
};

/** The blocks of a step: what does it, and what takes it back. Only one without a blank is called ready. */
export function blocksOf({ commands, undo, syntax, blanks }: RemedyStep): readonly Block[] {
  const place = syntax === null ? '' : PLACES[syntax];
  return [
    ...(commands === null ? [] : [{ label: `${place}, ${stateOf(commands, blanks)}:`, text: commands }]),
    ...(undo === null ? [] : [{ label: `The way back, ${stateOf(undo, blanks)}:`, text: undo }]),
  ];
}

function stateOf(block: string, blanks: readonly Blank[]): string {
  const left = blanks.filter(({ name }) => block.includes(name));
  if (left.length === 0) return 'ready to copy';
  return `not ready: ${left.map(({ name, meaning }) => `${name} is ${meaning}`).join(', ')}`;
}
