import type { Command } from 'commander';

import { type Finish, type Invoked, withConfig } from './command.ts';

export function addConfig(program: Command, invoked: Invoked, finish: Finish): void {
  const config = program.command('config').description('the configuration file');
  for (const [name, description] of [
    ['check', 'say every mistake in it, each with its line'],
    ['print', 'print it as it is understood, with defaults; secrets only by where they come from'],
    ['schema', 'print its JSON Schema, for editors'],
  ] as const) {
    withConfig(config.command(name))
      .description(description)
      .action(async (_, command: Command) => {
        const { runConfig } = await import('../config.ts');
        finish(await runConfig(name, invoked(command)));
      });
  }
}
