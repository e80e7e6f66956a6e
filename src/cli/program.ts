import { isIP } from 'node:net';
import { Command, CommanderError, Option, InvalidArgumentError, Argument } from 'commander';
import { EXIT_UNKNOWN, describeExitCodes } from './exit-codes.ts';
import type { Terminal, Invocation } from './terminal.ts';
import type { CaptureOptions } from './capture.ts';
import { keepHeapSmall } from '../system/v8-flags.ts';
import type { Millis } from '../core/clock.ts';
import { parseDuration } from '../core/time-text.ts';
import { firmwareVersion } from '../core/license/appliance.ts';
import type { TypedPeriod } from './report-period.ts';
import type { SilenceCommand, TypedSilence } from './silence.ts';

/**
 * Runs the command line. Commands load their code only when they are called, because `check` is started often and by
 * people who wait for it. Returns the exit code.
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

/** Defines all commands and options without running anything. @internal also used for the manual page */
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
    addCapture,
    addReport,
    addLogs,
    addTrust,
    addConfig,
    addNotify,
    addSilence,
    addStore,
    addWeb,
    addDemo,
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
  ftm-watch demo                           see it find three faults, on a simulated network
`;

/** Receives the exit code of a command. */
type Finish = (exitCode: number) => void;

/** Returns the context in which a command runs. */
type Invoked = (command: Command) => Invocation;

/** Accepts `-c` after the command as well, where people type it. */
function withConfig(command: Command): Command {
  return command.option('-c, --config <file>', 'configuration file');
}

function addCapture(program: Command, invoked: Invoked, finish: Finish): void {
  withConfig(program.command('capture'))
    .description(
      'the verdict on the connections in a packet capture: which certificate FortiAuthenticator itself received',
    )
    .argument('[file...]', 'pcap, pcapng, either in gzip, or the text of a sniffer; - for standard input')
    .option('--json', 'one JSON object on standard output and nothing else')
    .option('--all', 'also the TLS connections to other servers')
    .option('--attach <incident>', 'add the verdict to an open incident of the running daemon')
    .addOption(
      new Option('--print-command <device>', 'print the commands that create such a capture').choices([
        'fortigate',
        'appliance',
      ]),
    )
    .addHelpText('after', CAPTURE_HELP)
    .action(async (files: readonly string[], options: CaptureOptions, command: Command) => {
      // A capture can have any size.
      keepHeapSmall();
      const { runCapture } = await import('./capture.ts');
      finish(await runCapture(files, options, invoked(command)));
    });
}

const CAPTURE_HELP = `
Recognized by their content: pcap and pcapng, as the pages of FortiAuthenticator and FortiGate export them; the text of
"diagnose sniffer packet any '…' 6" (levels 2, 3, 5 and 6) and of "tcpdump -X" or "-XX". If there are two files, name
the one from the inside first. Nothing leaves this machine.

Examples:
  ftm-watch capture --print-command fortigate   prints what to type on the FortiGate
  ftm-watch capture putty.log                   which certificate did FortiAuthenticator receive?
  ftm-watch capture inside.pcap outside.pcap    does a device in between terminate TLS?
`;

interface CheckOptions {
  readonly json?: boolean;
  readonly steps?: boolean;
  readonly nagios?: boolean;
  readonly verify?: string;
  readonly timeout?: Millis;
  readonly maxAge: Millis;
}

const TIMEOUT: Millis = 10_000;

/** By default, Nagios and Icinga kill a plugin after 60 s. A round takes at most half of this limit. */
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

interface Typed {
  readonly fault?: readonly string[];
  readonly speed: number;
  readonly pause: boolean;
  readonly loop?: boolean;
}

function addDemo(program: Command, invoked: Invoked, finish: Finish): void {
  program
    .command('demo')
    .description('simulate a site on this machine, break it in three ways, and show how each fault is found')
    .option('--fault <name...>', 'only these faults, in this order (default: inspection dns license)')
    .option('--speed <number>', 'how fast to go from one step to the next, from 0.1 to 100', speed, 1)
    .option('--no-pause', 'do not wait between the steps')
    .option('--loop', 'play until Ctrl-C')
    .addHelpText('after', DEMO_HELP)
    .action(async ({ fault, speed: typed, pause, loop }: Typed, command: Command) => {
      const terminal = invoked(command);
      const leaving = new AbortController();
      terminal.onHangup(() => leaving.abort(new Error('The terminal was closed')));
      // The demo is not part of the program. Its code is in the test folder.
      const { demo } = await import('../../test/lab/demo.ts');
      const options = { faults: fault ?? [], speed: pause ? typed : null, isEndless: loop === true };
      const signal = AbortSignal.any([terminal.signal, leaving.signal]);
      finish(await demo(options, { ...terminal, main: process.argv[1] ?? '', signal }));
    });
}

function speed(text: string): number {
  const value = Number(text);
  if (!(value >= 0.1 && value <= 100)) throw new InvalidArgumentError('Expected a number from 0.1 to 100.');
  return value;
}

const DEMO_HELP = `
It needs nothing but 127.0.0.1: no root, no network, no FortiAuthenticator. The site is simulated;
the daemon is the real one, and its status page works while the demo runs. After each fault the
demo shows what was found, the evidence, the remedy and the alert, and then repairs the fault. It
takes about a minute, ends on its own, and leaves nothing behind.

Faults:
  inspection         the firewall inspects TLS to the licence server with its own certificate
  dns                a DNS filter answers with its own address
  license            after a migration the licence is still registered to the former HA peer
  license-elsewhere  the licence is registered to a unit that does not belong to the site
  block-page         a web filter answers with a block page
  reset              intrusion prevention resets every TLS session
  egress             a firewall policy refuses the connection
  mail               the mail server rejects the recipients of activation codes

Examples:
  ftm-watch demo                        the first three
  ftm-watch demo --fault egress mail    two others
  ftm-watch demo --loop --speed 0.3     slowly and without end, to show it to others
`;

function addConfig(program: Command, invoked: Invoked, finish: Finish): void {
  const config = program.command('config').description('the configuration file');
  withConfig(config.command('check'))
    .description('say every mistake in it, each with its line, and whether the daemon can start with it here')
    .option('--file-only', 'check nothing but the text: no other file, no variable, no port of this machine')
    .addHelpText('after', CONFIG_CHECK_HELP)
    .action(async (_, command: Command) => {
      const { configCheck } = await import('./config-check.ts');
      const { fileOnly = false } = command.opts<{ fileOnly?: boolean }>();
      finish(await configCheck({ fileOnly }, invoked(command)));
    });
  withConfig(config.command('print'))
    .description('print it as it is understood, with defaults; secrets only by where they come from')
    .action(async (_, command: Command) => {
      const { runConfigPrint } = await import('./config.ts');
      finish(await runConfigPrint(invoked(command)));
    });
  withConfig(config.command('schema'))
    .description('print its JSON Schema, for editors')
    .action(async (_, command: Command) => {
      const { configSchemaCommand } = await import('./config.ts');
      finish(configSchemaCommand(invoked(command)));
    });
}

const CONFIG_CHECK_HELP = `
It loads what the daemon loads: certificates with their keys, files of authorities, secrets, signatures, products and
the learned trust. It opens the ports, unless the running daemon holds them, and tries the store. It creates nothing.
As root it does so as the user of the installed service.

`;

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

interface TypedPreflight {
  readonly unit?: string;
  readonly newSerial?: string;
  readonly newAddress?: string;
  readonly newFirmware?: string;
  readonly license?: readonly string[];
  readonly output?: string;
  readonly users?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
  readonly verify?: string;
}

function addPreflight(program: Command, invoked: Invoked, finish: Finish): void {
  const group = program.command('preflight').description('before a change: what it takes, and what will be lost');
  withConfig(group.command('migration'))
    .description('before a unit is replaced, moved or upgraded, or a licence is transferred; writes a snapshot')
    .option('--unit <name>', 'the appliance, by its name in the configuration; needed when it has several')
    .option('--new-serial <serial>', 'the serial number that it will have, or that the licences move to')
    .option('--new-address <address>', 'the address that its traffic will come from', ipAddress)
    .option('--new-firmware <version>', 'the firmware that it will have', version)
    .option('--license <number...>', 'only these licences move to --new-serial; the unit stays')
    .option('-o, --output <path>', 'where the snapshot goes: a file or a directory, - for standard output alone')
    .option('--users', 'also list the users who need a new token; the API account must be allowed to view users')
    .option('--force', 'replace a snapshot that is there')
    .option('--json', 'one JSON object on standard output and nothing else')
    .option('--verify <snapshot>', 'afterwards: what changed since the snapshot, and what that means')
    .addHelpText('after', PREFLIGHT_HELP)
    .action(async (typed: TypedPreflight, command: Command) => {
      const { preflight, verifyMigration } = await import('./preflight.ts');
      const json = typed.json === true;
      if (typed.verify !== undefined) return finish(await verifyMigration(typed.verify, json, invoked(command)));
      const migration = {
        serial: typed.newSerial?.toUpperCase() ?? null,
        address: typed.newAddress ?? null,
        firmware: typed.newFirmware ?? null,
        licenses: (typed.license ?? []).map((number) => number.toUpperCase()),
      };
      const { unit, output, users, force } = typed;
      finish(
        await preflight(
          { unit, migration, output, users: users === true, force: force === true, json },
          invoked(command),
        ),
      );
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
  ftm-watch preflight migration --unit fac-2 --new-firmware 8.0.3   of several units, this one
  ftm-watch preflight migration --new-serial FACVM0000000002 --license EFTM000000000001
  ftm-watch preflight migration --verify ftm-watch-migration-fac-1-….json

Nothing is changed anywhere: it only looks.
`;

interface ReportOptions extends TypedPeriod {
  readonly output?: string;
  readonly force?: boolean;
  readonly capture?: readonly string[];
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
    .option('--capture <file...>', 'also the verdict on packet captures, and the chains in them')
    .option('--since <time>', 'tell of what was there from then on: a time, a day, or how long ago (default: all)')
    .option('--until <time>', 'and no longer than until then (default: now)')
    .addHelpText('after', REPORT_HELP)
    .action(async ({ output, force, capture = [], ...period }: ReportOptions, command: Command) => {
      const { runReport } = await import('./run-report.ts');
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
    .addHelpText('after', '\nTo restore it: docs/install.md.\n')
    .action(async (file: string, options: { force?: boolean; keepPending?: boolean }, command: Command) => {
      const { storeBackup } = await import('./store.ts');
      const wish = { file, force: options.force === true, keepPending: options.keepPending === true };
      finish(await storeBackup(wish, invoked(command)));
    });
}

interface LearnOptions {
  readonly yes?: boolean;
  readonly fingerprint: readonly string[];
  readonly capture?: readonly string[];
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
    .option('--capture <file...>', 'learn the chain in a packet capture instead; always needs --fingerprint')
    .action(async ({ yes, fingerprint, capture = [] }: LearnOptions, command: Command) => {
      const { runTrustLearn } = await import('./run-trust.ts');
      const wishes = { yes: yes === true, fingerprints: fingerprint, captures: capture };
      finish(await runTrustLearn(wishes, invoked(command)));
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
 * Parses a fingerprint as people copy it: with colons, spaces or neither, in upper or lower case, also with OpenSSL's
 * prefix `sha256 Fingerprint=`.
 *
 * @param earlier previous values of the same option
 * @throws {InvalidArgumentError} if it is not a fingerprint
 */
export function collectFingerprint(typed: string, earlier: readonly string[]): readonly string[] {
  const digits = typed.replace(/^sha-?256(?: fingerprint)?\s*[=:]?/iu, '').replaceAll(/[:\s]/gu, '');
  if (!/^[0-9a-f]{64}$/iu.test(digits))
    throw new InvalidArgumentError('Expected the 64 hexadecimal digits of a SHA-256.');
  return [...earlier, (digits.toUpperCase().match(/../gu) ?? []).join(':')];
}
