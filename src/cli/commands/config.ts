import type { Command } from 'commander';

import { type Finish, type Invoked, withConfig } from './command.ts';

export function addConfig(program: Command, invoked: Invoked, finish: Finish): void {
  const config = program.command('config').description('the configuration file');
  withConfig(config.command('check'))
    .description('say every mistake in it, each with its line, and whether the daemon can start with it here')
    .option('--file-only', 'check nothing but the text: no other file, no variable, no port of this machine')
    .addHelpText('after', CHECK_HELP)
    .action(async (_, command: Command) => {
      const { configCheck } = await import('../config-check.ts');
      const { fileOnly = false } = command.opts<{ fileOnly?: boolean }>();
      finish(await configCheck({ fileOnly }, invoked(command)));
    });
  withConfig(config.command('print'))
    .description('print it as it is understood, with defaults; secrets only by where they come from')
    .action(async (_, command: Command) => {
      const { runConfigPrint } = await import('../config.ts');
      finish(await runConfigPrint(invoked(command)));
    });
  withConfig(config.command('schema'))
    .description('print its JSON Schema, for editors')
    .action(async (_, command: Command) => {
      const { configSchemaCommand } = await import('../config.ts');
      finish(configSchemaCommand(invoked(command)));
    });
}

const CHECK_HELP = `
It loads what the daemon loads: certificates with their keys, files of authorities, secrets, signatures, products and
the learned trust. It opens the ports, unless the running daemon holds them, and tries the store. It creates nothing.
As root it does so as the user of the installed service.

`;
