/** Whose command line understands a block: a POSIX shell, the CLI of a FortiGate, or that of FortiAuthenticator. */
export const SYNTAXES = ['shell', 'fortios', 'fortiauthenticator'] as const;
export type Syntax = (typeof SYNTAXES)[number];

/** One step of a remedy before it is told: a sentence, or a sentence with the commands that do what it says. */
export type Step = string | CommandStep;

export interface CommandStep {
  /** Says what to do without the commands too. */
  readonly text: string;
  readonly syntax: Syntax;
  /** Lines, with the placeholders of command-words.ts. */
  readonly commands: readonly string[];
  /** Lines that take back what the commands change; null where they only look. */
  readonly undo: readonly string[] | null;
}

/** Commands of a POSIX shell that change nothing. */
export function shell(text: string, ...commands: readonly string[]): CommandStep {
  return { text, syntax: 'shell', commands, undo: null };
}

/** Commands of a FortiGate that change nothing. */
export function fortios(text: string, ...commands: readonly string[]): CommandStep {
  return { text, syntax: 'fortios', commands, undo: null };
}

/** Commands of FortiAuthenticator that change nothing. */
export function fortiauthenticator(text: string, ...commands: readonly string[]): CommandStep {
  return { text, syntax: 'fortiauthenticator', commands, undo: null };
}
