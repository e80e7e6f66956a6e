import type { Command } from 'commander';

import type { SilenceCommand, TypedSilence } from '../silence.ts';
import { type Finish, type Invoked, withConfig } from './command.ts';

export function addSilence(program: Command, invoked: Invoked, finish: Finish): void {
  const silence = program.command('silence').description('notifications that wait, at the daemon that runs');
  const carryOut = async (wish: SilenceCommand, command: Command): Promise<void> => {
    const { runSilence } = await import('../silence.ts');
    finish(await runSilence(wish, invoked(command)));
  };
  withConfig(silence.command('add'))
    .description('let notifications wait; incidents go on')
    .option('--for <duration>', 'for so long: 90s, 15m, 2h, 7d')
    .option('--until <time>', 'until then: 2026-11-24T18:00:00Z')
    .option('--cause <cause>', 'only of this cause, such as tls-intercepted')
    .option('--subject <subject>', 'only about this host:port, mail server or unit')
    .option('--by <name>', 'who silences, shown as a claim (default: your account)')
    .requiredOption('--comment <text>', 'why')
    .addHelpText('after', HELP)
    .action((silence: TypedSilence, command: Command) => carryOut({ kind: 'add', silence }, command));
  withConfig(silence.command('list'))
    .description('print those that last')
    .option('--json', 'one JSON object')
    .action(({ json }: { json?: boolean }, command: Command) =>
      carryOut({ kind: 'list', json: json === true }, command),
    );
  withConfig(silence.command('remove'))
    .description('end silences at once')
    .argument('<ids...>', 'as printed by "silence list"')
    .action((ids: string[], _, command: Command) => carryOut({ kind: 'remove', ids }, command));
}

const HELP = `
Without --cause and --subject everything is silenced, for 90 days at the longest. The names of causes are in
"ftm-watch check --json" and on the page.

Examples:
  ftm-watch silence add --for 2h --cause tls-intercepted --comment "the exemption is on its way"
  ftm-watch silence add --until 2026-11-29T06:00:00Z --subject mail.example.org:25 --comment "it moves"

The user of the daemon, its group and root may ask it.
`;
