import type { Syntax } from './words/step.ts';

/** A word of a command that has to be filled in by hand before it is run: it is marked, and says what belongs there. */
export interface Blank {
  /** As it stands in the command. */
  readonly name: string;
  /** What to put in its place. */
  readonly meaning: string;
}

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

/** A step without commands. */
export function sentenceStep(text: string): RemedyStep {
  return { text, commands: null, undo: null, syntax: null, blanks: [] };
}

/** A block with what stands before it. */
export interface Block {
  /** Whose command line takes it, and whether it is ready: only one without a blank is called that. */
  readonly label: string;
  /** What has to be put in first, a sentence; empty where it is ready. */
  readonly missing: string;
  /** Lines that are never wrapped: they are copied as they stand. */
  readonly text: string;
}

const PLACES: Readonly<Record<Syntax, string>> = {
  shell: 'Shell',
  fortios: 'FortiGate CLI',
  fortiauthenticator: 'FortiAuthenticator CLI',
};

/** The blocks of a step: what does it, and what takes it back. */
export function blocksOf({ commands, undo, syntax, blanks }: RemedyStep): readonly Block[] {
  return [
    ...(commands === null ? [] : [blockOf(syntax === null ? 'Commands' : PLACES[syntax], commands, blanks)]),
    ...(undo === null ? [] : [blockOf('The way back', undo, blanks)]),
  ];
}

function blockOf(place: string, text: string, blanks: readonly Blank[]): Block {
  const left = blanks.filter(({ name }) => text.includes(name));
  return {
    label: `${place}, ${left.length === 0 ? 'ready to copy' : 'not ready'}`,
    missing: left.map(({ name, meaning }) => `${name} is ${meaning}`).join(', '),
    text,
  };
}

/** What stands before a block where nothing is folded. */
export function headOf({ label, missing }: Block): string {
  return missing === '' ? `${label}:` : `${label}: ${missing}:`;
}
