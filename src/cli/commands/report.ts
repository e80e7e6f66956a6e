import type { Command } from 'commander';

import { type Finish, type Invoked, withConfig } from './command.ts';

export function addReport(program: Command, invoked: Invoked, finish: Finish): void {
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
