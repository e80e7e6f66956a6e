import type { Command, Option } from 'commander';

/** One command as a shell completes what stands behind it. */
export interface CompletedCommand {
  /** With those above it, without the program itself: `silence add`; empty for the program. */
  readonly path: string;
  readonly words: readonly Word[];
  readonly options: readonly CompletedOption[];
  /** Whether its arguments are files. */
  readonly takesFiles: boolean;
}

export interface Word {
  readonly name: string;
  readonly description: string;
}

export interface CompletedOption {
  readonly short: string | null;
  readonly long: string;
  readonly description: string;
  readonly takes: 'nothing' | 'file' | 'text';
}

const HELP: CompletedOption = { short: '-h', long: '--help', description: 'display help', takes: 'nothing' };

/** The program and everything below it. */
export function completedCommands(command: Command, path: readonly string[] = []): readonly CompletedCommand[] {
  const below = command.commands;
  return [
    {
      path: path.join(' '),
      words: [...below.map((child) => ({ name: child.name(), description: child.description() })), ...choices(command)],
      options: [...command.options.flatMap(completedOption), HELP],
      takesFiles: command.registeredArguments.some((argument) => isFile(argument.name())),
    },
    ...below.flatMap((child) => completedCommands(child, [...path, child.name()])),
  ];
}

function choices({ registeredArguments }: Command): readonly Word[] {
  return registeredArguments.flatMap(({ argChoices }) => argChoices ?? []).map((name) => ({ name, description: name }));
}

function completedOption({ short, long, flags, required, description }: Option): readonly CompletedOption[] {
  if (long === undefined || long === null) return [];
  const takes = required ? (isFile(flags) ? 'file' : 'text') : 'nothing';
  return [{ short: short ?? null, long, description, takes }];
}

/** `<file>`, `<path>`: how the help names them. */
function isFile(name: string): boolean {
  return /\b(?:file|path|folder)\b/u.test(name);
}

/** Flags of all commands whose value is of this kind. */
export function flagsThatTake(
  kind: CompletedOption['takes'],
  commands: readonly CompletedCommand[],
): readonly string[] {
  const options = commands.flatMap(({ options }) => options.filter(({ takes }) => takes === kind));
  return [...new Set(options.flatMap(({ short, long }) => (short === null ? [long] : [short, long])))];
}

/** For a shell, in single quotes. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
