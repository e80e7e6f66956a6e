import { Argument, type Command } from 'commander';

import type { Finish, Invoked } from './command.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

export function addCompletion(program: Command, invoked: Invoked, finish: Finish): void {
  program
    .command('completion')
    .description('print a script that lets a shell complete commands and options')
    .addArgument(new Argument('<shell>', 'of yours').choices(SHELLS))
    .addHelpText('after', HELP)
    .action(async (shell: Shell, _, command: Command) => {
      const { completion } = await import('../completion/completion.ts');
      invoked(command).output.write(completion(shell, program));
      finish(0);
    });
}

const HELP = `
For this session, or in the start file of the shell:
  bash   source <(ftm-watch completion bash)
  zsh    source <(ftm-watch completion zsh)
  fish   ftm-watch completion fish | source
`;
