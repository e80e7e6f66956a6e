import type { Command } from 'commander';
import { LazyCommand } from '../../src/cli/lazy-command.ts';
import { createProgram } from '../../src/cli/program.ts';

/** Returns the command line for documentation only: no command can be run. `write` receives its output. */
export function describedProgram(version: string, write: (text: string) => void): LazyCommand {
  const output = { write: (text: string | Uint8Array) => write(String(text)) };
  return createProgram({ version, output, errors: output }, notCarriedOut);
}

function notCarriedOut(): never {
  throw new Error('Cannot carry a command out: it is only described');
}

/** Returns the commands that can be run, with names such as `silence add`. */
export function leafCommands(
  group: Command,
  path: readonly string[] = [],
): readonly (readonly [string, LazyCommand])[] {
  return group.commands.flatMap((command) => {
    const name = [...path, command.name()];
    if (command.commands.length > 0) return leafCommands(command, name);
    return command instanceof LazyCommand ? [[name.join(' '), command] as const] : [];
  });
}
