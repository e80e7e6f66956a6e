import type { Command } from 'commander';

import { type Finish, type Invoked, withConfig } from './command.ts';

export function addLogs(program: Command, invoked: Invoked, finish: Finish): void {
  withConfig(program.command('explain'))
    .description('say what a log line of FortiAuthenticator means')
    .argument('[lines...]', 'the lines; without any, lines are read from standard input')
    .option('--json', 'one JSON object a line')
    .action(async (lines: string[], { json }: { json?: boolean }, command: Command) => {
      const { runExplain } = await import('../run-logs.ts');
      finish(await runExplain({ lines, json: json === true }, invoked(command)));
    });
  withConfig(program.command('replay'))
    .description('run a saved log through the same recognition and summarise it')
    .argument('<file>', 'syslog file or raw log export, perhaps compressed with gzip; - for standard input')
    .option('--json', 'one JSON object')
    .action(async (file: string, { json }: { json?: boolean }, command: Command) => {
      const { runReplay } = await import('../run-logs.ts');
      finish(await runReplay({ file, json: json === true }, invoked(command)));
    });
}
