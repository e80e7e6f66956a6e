import type { Command } from 'commander';

import { type Finish, type Invoked, withConfig } from './command.ts';

export function addWatching(program: Command, invoked: Invoked, finish: Finish): void {
  withConfig(program.command('run'))
    .description('watch for ever: probe on a schedule, listen to the log, export metrics, notify')
    .action(async (_, command: Command) => {
      const { run } = await import('../run.ts');
      finish(await run(invoked(command)));
    });
  withConfig(program.command('reload'))
    .description('have the daemon that runs read its configuration again')
    .action(async (_, command: Command) => {
      const { reload } = await import('../reload.ts');
      finish(await reload(invoked(command)));
    });
}
