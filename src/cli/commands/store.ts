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
    .addHelpText('after', '\nTo put it back: docs/operate.md.\n')
    .action(async (file: string, { force }: { force?: boolean }, command: Command) => {
      const { storeBackup } = await import('../store.ts');
      finish(await storeBackup({ file, force: force === true }, invoked(command)));
    });
}
