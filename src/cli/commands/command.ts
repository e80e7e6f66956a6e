import type { Command } from 'commander';

import type { Invocation } from '../terminal.ts';

/** Takes the exit code of a command. */
export type Finish = (exitCode: number) => void;

/** What a command is given, by what was typed. */
export type Invoked = (command: Command) => Invocation;

/** `-c` may stand behind the command as well, where people type it. */
export function withConfig(command: Command): Command {
  return command.option('-c, --config <file>', 'configuration file');
}
