import { Command, CommanderError } from 'commander';

import { EXIT_UNKNOWN } from './exit-code.ts';
import { collectFingerprint } from './fingerprint.ts';
import type { SilenceCommand, TypedSilence } from './silence.ts';
import type { Invocation, Terminal } from './terminal.ts';

/**
 * The command line. Each command loads its own code only when it is called: `check` is started often, and by people who
 * wait. Returns the exit code.
 */
export async function runProgram(argv: readonly string[], terminal: Terminal): Promise<number> {
  let code = 0;
  const invoked: Invoked = (command) => ({ ...terminal, path: command.optsWithGlobals<{ config?: string }>().config });
  const program = createProgram(terminal, invoked, (result) => {
    code = result;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_UNKNOWN;
    throw error;
  }
}

type Finish = (exitCode: number) => void;

/** What a command is given, by what was typed. */
type Invoked = (command: Command) => Invocation;

/** All that can be typed, without carrying anything out. @internal for the manual page too */
export function createProgram(
  terminal: Pick<Terminal, 'version' | 'output' | 'errors'>,
  invoked: Invoked,
  finish: Finish,
): Command {
  const program = new Command('ftm-watch')
    .description('Tells which precondition of FortiToken Mobile activation is broken, why, and how to fix it')
    .version(terminal.version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.output.write(text),
      writeErr: (text) => terminal.errors.write(text),
    })
    .option(
      '-c, --config <file>',
      'configuration file (default: config/ftm-watch.yaml where it exists, else /etc/ftm-watch/ftm-watch.yaml, else ' +
        'built-in defaults)',
    )
    .showHelpAfterError('(ftm-watch --help tells what can be asked)')
    .addHelpText('after', EXAMPLES);
  for (const add of [addWatching, addLogs, addTrust, addConfig, addNotify, addSilence, addWeb])
    add(program, invoked, finish);
  return program;
}

const EXAMPLES = `
Examples:
  ftm-watch check                          exit code: 0 ready, 1 warnings, 2 not ready, 3 unknown
  ftm-watch check --json | jq .causes      the same for a script
  ftm-watch explain "FTM polling error: connection timeout: server connection failed: SSL session failed"
  ftm-watch config check                   every mistake in the configuration, each with its line
  ftm-watch run -c other.yaml              the daemon, with another configuration
`;

/** `-c` may stand behind the command as well, where people type it. */
function withConfig(command: Command): Command {
  return command.option('-c, --config <file>', 'configuration file');
}

function addWatching(program: Command, invoked: Invoked, finish: Finish): void {
  withConfig(program.command('run'))
    .description('watch for ever: probe on a schedule, listen to the log, export metrics, notify')
    .action(async (_, command: Command) => {
      const { run } = await import('./run.ts');
      finish(await run(invoked(command)));
    });
  withConfig(program.command('reload'))
    .description('have the daemon that runs read its configuration again (exit code 2: it was refused)')
    .action(async (_, command: Command) => {
      const { reload } = await import('./reload.ts');
      finish(await reload(invoked(command)));
    });
  withConfig(program.command('check'))
    .description('one round of everything: checklist, root cause, remedy')
    .option('--json', 'one JSON object on standard output and nothing else')
    .action(async ({ json }: { json?: boolean }, command: Command) => {
      const { check } = await import('./check.ts');
      finish(await check(json === true, invoked(command)));
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
      const { runReport } = await import('./run-report.ts');
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

function addLogs(program: Command, invoked: Invoked, finish: Finish): void {
  withConfig(program.command('explain'))
    .description('say what a log line of FortiAuthenticator means (exit code 1: nothing was recognised)')
    .argument('[lines...]', 'the lines; without any, lines are read from standard input')
    .option('--json', 'one JSON object a line')
    .action(async (lines: string[], { json }: { json?: boolean }, command: Command) => {
      const { runExplain } = await import('./run-logs.ts');
      finish(await runExplain({ lines, json: json === true }, invoked(command)));
    });
  withConfig(program.command('replay'))
    .description('run a saved log through the same recognition and summarise it')
    .argument('<file>', 'syslog file or raw log export, perhaps compressed with gzip; - for standard input')
    .option('--json', 'one JSON object')
    .action(async (file: string, { json }: { json?: boolean }, command: Command) => {
      const { runReplay } = await import('./run-logs.ts');
      finish(await runReplay({ file, json: json === true }, invoked(command)));
    });
}

function addTrust(program: Command, invoked: Invoked, finish: Finish): void {
  const trust = program.command('trust').description('the chain that the licence server is trusted by');
  withConfig(trust.command('learn'))
    .description('record the chain of the licence server, from a path known to be clean')
    .option('--yes', 'the path is known to be clean: do not ask')
    .option(
      '--fingerprint <sha256>',
      'of the certificate that the chain rests on, as another source has it',
      collectFingerprint,
      [],
    )
    .action(async ({ yes, fingerprint }: { yes?: boolean; fingerprint: readonly string[] }, command: Command) => {
      const { runTrustLearn } = await import('./run-trust.ts');
      finish(await runTrustLearn({ yes: yes === true, fingerprints: fingerprint }, invoked(command)));
    });
  withConfig(trust.command('show'))
    .description('print what is trusted and why')
    .action(async (_, command: Command) => {
      const { runTrustShow } = await import('./run-trust.ts');
      finish(await runTrustShow(invoked(command)));
    });
}

function addConfig(program: Command, invoked: Invoked, finish: Finish): void {
  const config = program.command('config').description('the configuration file');
  for (const [name, description] of [
    ['check', 'say every mistake in it, each with its line'],
    ['print', 'print it as it is understood, with defaults; secrets only by where they come from'],
    ['schema', 'print its JSON Schema, for editors'],
  ] as const) {
    withConfig(config.command(name))
      .description(description)
      .action(async (_, command: Command) => {
        const { runConfig } = await import('./config.ts');
        finish(await runConfig(name, invoked(command)));
      });
  }
}

function addNotify(program: Command, invoked: Invoked, finish: Finish): void {
  const notify = program.command('notify').description('the channels that people are told through');
  withConfig(notify.command('test'))
    .description('send a test message through every configured channel')
    .action(async (_, command: Command) => {
      const { runNotifyTest } = await import('./notify.ts');
      finish(await runNotifyTest(invoked(command)));
    });
}

function addSilence(program: Command, invoked: Invoked, finish: Finish): void {
  const silence = program.command('silence').description('notifications that wait, at the daemon that runs');
  const carryOut = async (wish: SilenceCommand, command: Command): Promise<void> => {
    const { runSilence } = await import('./silence.ts');
    finish(await runSilence(wish, invoked(command)));
  };
  withConfig(silence.command('add'))
    .description('let notifications wait; incidents go on')
    .option('--for <duration>', 'for so long: 90s, 15m, 2h, 7d')
    .option('--until <time>', 'until then: 2026-11-24T18:00:00Z')
    .option('--cause <cause>', 'only of this cause, such as tls-intercepted')
    .option('--subject <subject>', 'only about this host:port, mail server or unit')
    .option('--by <name>', 'who silences (default: your account)')
    .requiredOption('--comment <text>', 'why')
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

function addWeb(program: Command, invoked: Invoked, finish: Finish): void {
  program
    .command('web')
    .description('the status page')
    .command('hash-password')
    .description('read a password from standard input and print the hash that web.users wants')
    .action(async (_, command: Command) => {
      const { runHashPassword } = await import('./run-web.ts');
      finish(await runHashPassword(invoked(command)));
    });
}
