import type { Command } from 'commander';

import { type Finish, type Invoked, withConfig } from './command.ts';

interface Typed {
  readonly site?: string;
  readonly appliance?: readonly string[];
  readonly mailServer?: string;
  readonly tell?: readonly string[];
  readonly alertmanager?: string;
}

export function addInit(program: Command, invoked: Invoked, finish: Finish): void {
  withConfig(program.command('init'))
    .description(
      'write a first configuration of about ten lines; asks what it has to know, unless it is told by options',
    )
    .option('--site <name>', 'name of this site in messages and on the page (default: the host name)')
    .option('--appliance <address...>', 'of each FortiAuthenticator, which sends its log here')
    .option('--mail-server <host[:port]>', 'that FortiAuthenticator mails activation codes through')
    .option('--tell <mail address...>', 'who is told when something breaks')
    .option('--alertmanager <url>', "of Prometheus' Alertmanager, which is told too")
    .addHelpText('after', HELP)
    .action(async (_, command: Command) => {
      const { init } = await import('../init.ts');
      const { site, appliance, mailServer, tell, alertmanager } = command.opts<Typed>();
      const typed = { site, appliances: appliance, mailServer, recipients: tell, alertmanager };
      finish(await init(typed, invoked(command)));
    });
}

const HELP = `
It writes the file of --config, else /etc/ftm-watch/ftm-watch.yaml where that folder is there, else
config/ftm-watch.yaml. A file that is there is never overwritten.

Example:
  ftm-watch init --appliance 10.0.0.5 --mail-server mail.example.org --tell admins@example.org

`;
