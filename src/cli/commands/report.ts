import type { Command } from 'commander';

import type { TypedPeriod } from '../report-period.ts';
import { type Finish, type Invoked, withConfig } from './command.ts';

interface ReportOptions extends TypedPeriod {
  readonly output?: string;
  readonly force?: boolean;
  readonly capture?: readonly string[];
}

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
    .option('--capture <file...>', 'also the verdict on packet captures, and the chains in them')
    .option('--since <time>', 'tell of what was there from then on: a time, a day, or how long ago (default: all)')
    .option('--until <time>', 'and no longer than until then (default: now)')
    .addHelpText('after', REPORT_HELP)
    .action(async ({ output, force, capture = [], ...period }: ReportOptions, command: Command) => {
      const { runReport } = await import('../run-report.ts');
      finish(await runReport({ typed: output, force: force === true, captures: capture, period }, invoked(command)));
    });
}

const REPORT_HELP = `
In the archive: report.html (one page for the firewall team or the vendor, then appendices), report.json (the same for programs), certificates/*.pem (each chain
as it was sent), checklist.txt (what "check" prints, with every answer) and log-excerpts.txt. Incidents and log lines
are those that the daemon has kept. Passwords, keys, tokens, names of users, mail addresses, phone numbers and
activation codes are removed; check it before you send it.

Examples:
  ftm-watch report                         writes ftm-watch-report-SITE-TIME.zip here
  ftm-watch report -o /tmp                 writes it there
  ftm-watch report --since 2026-11-24 --until 2026-11-25T06:00:00Z
  ssh monitor ftm-watch report -o - > report.zip

For plain text in a ticket, use "ftm-watch check".
`;
