import type { Command } from 'commander';

import type { Shell } from '../commands/completion.ts';
import { bashCompletion } from './bash.ts';
import { completedCommands } from './completed-command.ts';
import { fishCompletion } from './fish.ts';
import { zshCompletion } from './zsh.ts';

/** A script without calls of the program: to complete is faster than to start it. */
export function completion(shell: Shell, program: Command): string {
  const commands = completedCommands(program);
  switch (shell) {
    case 'bash':
      return bashCompletion(commands);
    case 'zsh':
      return zshCompletion(commands);
    case 'fish':
      return fishCompletion(commands);
  }
}
