import type { Command } from 'commander';

import { type Finish, type Invoked, withConfig } from './command.ts';

export function addStore(program: Command, invoked: Invoked, finish: Finish): void {
  const store = program.command('store').description('the history, incidents and messages that the daemon keeps');
  withConfig(store.command('check'))
    .description('look through it, or through a copy, without changing anything')
    .argument('[file]', 'the copy (default: the store of the configuration)')
    .action(async (file: string | undefined, _, command: Command) => {
      const { storeCheck } = await import('../store.ts');
      finish(await storeCheck(file, invoked(command)));
    });
  withConfig(store.command('backup'))
    .description('copy it while the daemon runs')
    .argument('<file>', 'the copy')
    .option('--force', 'replace a file that is there')
    .option('--keep-pending', 'let the copy send what is still on its way, to move to another machine')
    .addHelpText('after', '\nTo put it back: docs/operate.md.\n')
    .action(async (file: string, options: { force?: boolean; keepPending?: boolean }, command: Command) => {
      const { storeBackup } = await import('../store.ts');
      const wish = { file, force: options.force === true, keepPending: options.keepPending === true };
      finish(await storeBackup(wish, invoked(command)));
    });
}
