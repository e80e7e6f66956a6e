import { isIP } from 'node:net';
import { Command, CommanderError, InvalidArgumentError, Option, Argument } from 'commander';
import { EXIT_UNKNOWN, describeExitCodes } from './exit-codes.ts';
import type { Terminal, Invocation } from './terminal.ts';
import type { Millis } from '../core/clock.ts';
import { parseDuration } from '../core/time-text.ts';
import { firmwareVersion } from '../core/license/appliance.ts';
import type { TypedPeriod } from './report-period.ts';
import type { SilenceCommand, TypedSilence } from './silence.ts';

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
  for (const add of [
    addInit,
    addWatching,
    addPreflight,
    addCheck,
    addReport,
    addLogs,
    addTrust,
    addConfig,
    addNotify,
    addSilence,
    addStore,
    addWeb,
    addCompletion,
  ])
    add(program, invoked, finish);
  describeExitCodes(program);
  return program;
}

const EXAMPLES = `
Examples:
  ftm-watch check                          everything once: checklist, root cause, remedy
  ftm-watch check --json | jq .causes      the same for a script
  ftm-watch explain "FTM polling error: connection timeout: server connection failed: SSL session failed"
  ftm-watch config check                   every mistake in the configuration, each with its line
  ftm-watch run -c other.yaml              the daemon, with another configuration
`;

/** Takes the exit code of a command. */
type Finish = (exitCode: number) => void;

/** What a command is given, by what was typed. */
type Invoked = (command: Command) => Invocation;

/** `-c` may stand behind the command as well, where people type it. */
function withConfig(command: Command): Command {
  return command.option('-c, --config <file>', 'configuration file');
}

interface CheckOptions {
  readonly json?: boolean;
  readonly steps?: boolean;
  readonly nagios?: boolean;
  readonly verify?: string;
  readonly timeout?: Millis;
  readonly maxAge: Millis;
}

const TIMEOUT: Millis = 10_000;

/** Nagios and Icinga end a plugin after 60 s by default, and a round of its own takes half of it at the longest. */
const NAGIOS_TIMEOUT: Millis = 50_000;

function addCheck(program: Command, invoked: Invoked, finish: Finish): void {
  const plugin = 'one line for Nagios or Icinga: what the daemon knows, or where none runs a round of its own';
  withConfig(program.command('check'))
    .description('one round of everything: checklist, root cause, remedy')
    .option('--json', 'one JSON object on standard output and nothing else')
    .option('--steps', 'also the steps of an activation, in the order in which FortiAuthenticator takes them')
    .addOption(new Option('--nagios', plugin).conflicts(['json', 'steps', 'verify']))
    .addOption(new Option('--verify <incident>', 'whether the repair of an incident is in force').conflicts('steps'))
    .option('-t, --timeout <seconds>', 'what is not seen by then is unknown (default: 10, with --nagios 50)', seconds)
    .addOption(
      new Option('--max-age <duration>', "with --nagios: unknown when the daemon's last round is older")
        .argParser(age)
        .default(age('15m'), '15m'),
    )
    .addHelpText('after', CHECK_HELP)
    .action(async ({ json, steps, nagios, verify, timeout, maxAge }: CheckOptions, command: Command) => {
      if (nagios === true) {
        const { checkNagios } = await import('./check.ts');
        finish(await checkNagios({ timeout: timeout ?? NAGIOS_TIMEOUT, longest: maxAge }, invoked(command)));
        return;
      }
      if (verify !== undefined) {
        const { verifyRepair } = await import('./verify-repair.ts');
        const wish = { incident: verify, json: json === true, timeout: timeout ?? null };
        finish(await verifyRepair(wish, invoked(command)));
        return;
      }
      const { check } = await import('./check.ts');
      const form = { json: json === true, steps: steps === true, timeout: timeout ?? TIMEOUT };
      finish(await check(form, invoked(command)));
    });
}

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
Examples:
  ftm-watch check --json | jq .causes
  ftm-watch check --nagios -t 30           FTM OK: … | causes_critical=0;;0;0 …
  ftm-watch check --verify 20261124T130005Z-k3v9x2-1   is its repair in force?
`;

const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

function addCompletion(program: Command, invoked: Invoked, finish: Finish): void {
  program
    .command('completion')
    .description('print a script that lets a shell complete commands and options')
    .addArgument(new Argument('<shell>', 'of yours').choices(SHELLS))
    .addHelpText('after', HELP)
    .action(async (shell: Shell, _, command: Command) => {
      const { completion } = await import('./completion.ts');
      invoked(command).output.write(completion(shell, program));
      finish(0);
    });
}

const HELP = `
For this session, or in the start file of the shell:
  bash   source <(ftm-watch completion bash)
  zsh    source <(ftm-watch completion zsh)
  fish   ftm-watch completion fish | source
`;

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

interface TypedInit {
  readonly site?: string;
  readonly appliance?: readonly string[];
  readonly mailServer?: string;
  readonly tell?: readonly string[];
  readonly alertmanager?: string;
}

function addInit(program: Command, invoked: Invoked, finish: Finish): void {
  withConfig(program.command('init'))
    .description(
      'write a first configuration of about ten lines; asks what it has to know, unless it is told by options',
    )
    .option('--site <name>', 'name of this site in messages and on the page (default: the host name)')
    .option('--appliance <address...>', 'of each FortiAuthenticator, which sends its log here')
    .option('--mail-server <host[:port]>', 'that FortiAuthenticator mails activation codes through')
    .option('--tell <mail address...>', 'who is told when something breaks')
    .option('--alertmanager <url>', "of Prometheus' Alertmanager, which is told too")
    .addHelpText('after', INIT_HELP)
    .action(async (_, command: Command) => {
      const { init } = await import('./init.ts');
      const { site, appliance, mailServer, tell, alertmanager } = command.opts<TypedInit>();
      const typed = { site, appliances: appliance, mailServer, recipients: tell, alertmanager };
      finish(await init(typed, invoked(command)));
    });
}

const INIT_HELP = `
It writes the file of --config, else /etc/ftm-watch/ftm-watch.yaml where that folder is there, else
config/ftm-watch.yaml. A file that is there is never overwritten.

Example:
  ftm-watch init --appliance 10.0.0.5 --mail-server mail.example.org --tell admins@example.org

`;

function addLogs(program: Command, invoked: Invoked, finish: Finish): void {
  withConfig(program.command('explain'))
    .description('say what a log line of FortiAuthenticator means')
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

function addNotify(program: Command, invoked: Invoked, finish: Finish): void {
  const notify = program.command('notify').description('the channels that people are told through');
  withConfig(notify.command('test'))
    .description('send a test message through every configured channel')
    .action(async (_, command: Command) => {
      const { runNotifyTest } = await import('./notify.ts');
      finish(await runNotifyTest(invoked(command)));
    });
}

interface Typed {
  readonly unit?: string;
  readonly newSerial?: string;
  readonly newAddress?: string;
  readonly newFirmware?: string;
  readonly license?: readonly string[];
  readonly output?: string;
  readonly force?: boolean;
  readonly json?: boolean;
  readonly verify?: string;
}

function addPreflight(program: Command, invoked: Invoked, finish: Finish): void {
  const group = program.command('preflight').description('before a change: what it takes, and what will be lost');
  withConfig(group.command('migration'))
    .description('before a unit is replaced, moved or upgraded, or a licence is transferred; writes a snapshot')
    .option('--unit <name>', 'the appliance, by its name in the configuration (default: the only one)')
    .option('--new-serial <serial>', 'the serial number that it will have, or that the licences move to')
    .option('--new-address <address>', 'the address that its traffic will come from', ipAddress)
    .option('--new-firmware <version>', 'the firmware that it will have', version)
    .option('--license <number...>', 'only these licences move to --new-serial; the unit stays')
    .option('-o, --output <path>', 'where the snapshot goes: a file or a directory, - for standard output alone')
    .option('--force', 'replace a snapshot that is there')
    .option('--json', 'one JSON object on standard output and nothing else')
    .option('--verify <snapshot>', 'afterwards: what changed since the snapshot, and what that means')
    .addHelpText('after', PREFLIGHT_HELP)
    .action(async (typed: Typed, command: Command) => {
      const { preflight, verifyMigration } = await import('./preflight.ts');
      const json = typed.json === true;
      if (typed.verify !== undefined) return finish(await verifyMigration(typed.verify, json, invoked(command)));
      const migration = {
        serial: typed.newSerial?.toUpperCase() ?? null,
        address: typed.newAddress ?? null,
        firmware: typed.newFirmware ?? null,
        licenses: (typed.license ?? []).map((number) => number.toUpperCase()),
      };
      const { unit, output, force } = typed;
      finish(await preflight({ unit, migration, output, force: force === true, json }, invoked(command)));
    });
}

function ipAddress(text: string): string {
  if (isIP(text) === 0) throw new InvalidArgumentError('Expected an IP address.');
  return text;
}

function version(text: string): string {
  const read = firmwareVersion(text);
  if (read === null) throw new InvalidArgumentError('Expected a version, as 8.0.3.');
  return read.join('.');
}

const PREFLIGHT_HELP = `
Examples:
  ftm-watch preflight migration --new-serial FACVM0000000002     the unit is replaced by another one
  ftm-watch preflight migration --new-address 10.0.0.6           it moves: its policy is looked up for the new address
  ftm-watch preflight migration --new-firmware 8.0.3             it is upgraded
  ftm-watch preflight migration --new-serial FACVM0000000002 --license EFTM000000000001
  ftm-watch preflight migration --verify ftm-watch-migration-fac-1-….json

Nothing is changed anywhere: it only looks.
`;

interface ReportOptions extends TypedPeriod {
  readonly output?: string;
  readonly force?: boolean;
}

function addReport(program: Command, invoked: Invoked, finish: Finish): void {
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
    .option('--since <time>', 'tell of what was there from then on: a time, a day, or how long ago (default: all)')
    .option('--until <time>', 'and no longer than until then (default: now)')
    .addHelpText('after', REPORT_HELP)
    .action(async ({ output, force, ...period }: ReportOptions, command: Command) => {
      const { runReport } = await import('./run-report.ts');
      finish(await runReport({ typed: output, force: force === true, period }, invoked(command)));
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
    .option('--by <name>', 'who silences, shown as a claim (default: your account)')
    .requiredOption('--comment <text>', 'why')
    .addHelpText('after', SILENCE_HELP)
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

const SILENCE_HELP = `
Without --cause and --subject everything is silenced, for 90 days at the longest. The names of causes are in
"ftm-watch check --json" and on the page.

Examples:
  ftm-watch silence add --for 2h --cause tls-intercepted --comment "the exemption is on its way"
  ftm-watch silence add --until 2026-11-29T06:00:00Z --subject mail.example.org:25 --comment "it moves"

The user of the daemon, its group and root may ask it.
`;

function addStore(program: Command, invoked: Invoked, finish: Finish): void {
  const store = program.command('store').description('the history, incidents and messages that the daemon keeps');
  withConfig(store.command('check'))
    .description('look through it, or through a copy, without changing anything')
    .argument('[file]', 'the copy (default: the store of the configuration)')
    .action(async (file: string | undefined, _, command: Command) => {
      const { storeCheck } = await import('./store.ts');
      finish(await storeCheck(file, invoked(command)));
    });
  withConfig(store.command('backup'))
    .description('copy it while the daemon runs')
    .argument('<file>', 'the copy')
    .option('--force', 'replace a file that is there')
    .option('--keep-pending', 'let the copy send what is still on its way, to move to another machine')
    .addHelpText('after', '\nTo put it back: docs/operate.md.\n')
    .action(async (file: string, options: { force?: boolean; keepPending?: boolean }, command: Command) => {
      const { storeBackup } = await import('./store.ts');
      const wish = { file, force: options.force === true, keepPending: options.keepPending === true };
      finish(await storeBackup(wish, invoked(command)));
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

function addWatching(program: Command, invoked: Invoked, finish: Finish): void {
  withConfig(program.command('run'))
    .description('watch for ever: probe on a schedule, listen to the log, export metrics, notify')
    .action(async (_, command: Command) => {
      const { run } = await import('./run.ts');
      finish(await run(invoked(command)));
    });
  withConfig(program.command('reload'))
    .description('have the daemon that runs read its configuration again')
    .action(async (_, command: Command) => {
      const { reload } = await import('./reload.ts');
      finish(await reload(invoked(command)));
    });
}

function addWeb(program: Command, invoked: Invoked, finish: Finish): void {
  program
    .command('web')
    .description('the status page')
    .command('hash-password')
    .description('ask for a password, or read it from a pipe, and print the hash that web.users wants')
    .action(async (_, command: Command) => {
      const { runHashPassword } = await import('./run-web.ts');
      finish(await runHashPassword(invoked(command)));
    });
}

/**
 * A fingerprint as people copy it: with colons, spaces or neither, in either case, also behind OpenSSL's `sha256
 * Fingerprint=`.
 *
 * @param earlier those of the same option before it
 * @throws {InvalidArgumentError} when it is none
 */
export function collectFingerprint(typed: string, earlier: readonly string[]): readonly string[] {
  const digits = typed.replace(/^sha-?256(?: fingerprint)?\s*[=:]?/iu, '').replaceAll(/[:\s]/gu, '');
  if (!/^[0-9a-f]{64}$/iu.test(digits))
    throw new InvalidArgumentError('Expected the 64 hexadecimal digits of a SHA-256.');
  return [...earlier, (digits.toUpperCase().match(/../gu) ?? []).join(':')];
}
