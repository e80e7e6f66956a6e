import type { Command } from 'commander';

import { type Finish, type Invoked, withConfig } from './command.ts';

export function addNotify(program: Command, invoked: Invoked, finish: Finish): void {
  const notify = program.command('notify').description('the channels that people are told through');
  withConfig(notify.command('test'))
    .description('send a test message through every configured channel')
    .action(async (_, command: Command) => {
      const { runNotifyTest } = await import('../notify.ts');
      finish(await runNotifyTest(invoked(command)));
    });
}
