import { type Command, InvalidArgumentError, Option } from 'commander';

import type { Millis } from '../../core/clock.ts';
import { parseDuration } from '../../core/duration.ts';
import { type Finish, type Invoked, withConfig } from './command.ts';

export function addWatching(program: Command, invoked: Invoked, finish: Finish): void {
  withConfig(program.command('run'))
    .description('watch for ever: probe on a schedule, listen to the log, export metrics, notify')
    .action(async (_, command: Command) => {
      const { run } = await import('../run.ts');
      finish(await run(invoked(command)));
    });
  withConfig(program.command('reload'))
    .description('have the daemon that runs read its configuration again (exit code 2: it was refused)')
    .action(async (_, command: Command) => {
      const { reload } = await import('../reload.ts');
      finish(await reload(invoked(command)));
    });
  withConfig(program.command('check'))
    .description('one round of everything: checklist, root cause, remedy')
    .addOption(new Option('--json', 'one JSON object on standard output and nothing else').conflicts('nagios'))
    .option('--nagios', 'one line for Nagios or Icinga: what the daemon knows, or where none runs a round of its own')
    .option('-t, --timeout <seconds>', 'unknown after so long (default: 50 with --nagios)', seconds)
    .addOption(
      new Option('--max-age <duration>', "with --nagios: unknown when the daemon's last round is older")
        .argParser(age)
        .default(age('15m'), '15m'),
    )
    .addHelpText('after', CHECK_HELP)
    .action(async ({ json, nagios, timeout, maxAge }: CheckOptions, command: Command) => {
      if (nagios === true) {
        const { checkNagios } = await import('../check-nagios.ts');
        finish(await checkNagios({ timeout: timeout ?? NAGIOS_TIMEOUT, longest: maxAge }, invoked(command)));
        return;
      }
      const { check } = await import('../check.ts');
      finish(await check({ json: json === true, timeout: timeout ?? null }, invoked(command)));
    });
  withConfig(program.command('report'))
    .description(
      'one archive (zip) for a support ticket or the firewall team: a round, its evidence, the history, without ' +
        'secrets',
    )
    .option(
      '-o, --output <path>',
      'a file or a directory; - for standard output (default: a new file in the current directory)',
    )
    .option('--force', 'replace a file that is there')
    .addHelpText('after', REPORT_HELP)
    .action(async ({ output, force }: { output?: string; force?: boolean }, command: Command) => {
      const { runReport } = await import('../run-report.ts');
      finish(await runReport({ typed: output, force: force === true }, invoked(command)));
    });
}

interface CheckOptions {
  readonly json?: boolean;
  readonly nagios?: boolean;
  readonly timeout?: Millis;
  readonly maxAge: Millis;
}

/** Nagios and Icinga end a plugin after 60 s by default, and a round of its own takes half of it at the longest. */
const NAGIOS_TIMEOUT: Millis = 50_000;

function seconds(typed: string): Millis {
  if (!/^[1-9]\d{0,3}$/u.test(typed)) throw new InvalidArgumentError('Expected whole seconds such as 50.');
  return Number(typed) * 1000;
}

function age(typed: string): Millis {
  const parsed = parseDuration(typed);
  if (parsed === null) throw new InvalidArgumentError('Expected a duration such as "15m".');
  return parsed;
}

const CHECK_HELP = `
Exit code: 0 ready, 1 warnings, 2 not ready, 3 unknown.

Examples:
  ftm-watch check --json | jq .causes
  ftm-watch check --nagios -t 30           FTM OK: … | causes_critical=0;;0;0 …
`;

const REPORT_HELP = `
In the archive: report.html (to read and to print), report.json (the same for programs), certificates/*.pem (each chain
as it was sent), checklist.txt (what "check" prints, with every answer) and log-excerpts.txt. Incidents and log lines
are those that the daemon has kept. Passwords, keys, tokens, names of users, mail addresses, phone numbers and
activation codes are removed; check it before you send it.

Examples:
  ftm-watch report                         writes ftm-watch-report-SITE-TIME.zip here
  ftm-watch report -o /tmp                 writes it there
  ssh monitor ftm-watch report -o - > report.zip

For plain text in a ticket, use "ftm-watch check". Exit code: 0 written, 3 not written.
`;
