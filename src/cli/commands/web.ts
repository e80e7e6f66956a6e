import type { Command } from 'commander';

import type { Finish, Invoked } from './command.ts';

export function addWeb(program: Command, invoked: Invoked, finish: Finish): void {
  program
    .command('web')
    .description('the status page')
    .command('hash-password')
    .description('ask for a password, or read it from a pipe, and print the hash that web.users wants')
    .action(async (_, command: Command) => {
      const { runHashPassword } = await import('../run-web.ts');
      finish(await runHashPassword(invoked(command)));
    });
}
