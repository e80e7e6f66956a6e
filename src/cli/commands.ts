import { isIP } from 'node:net';
import { Argument, Option } from 'commander';
import type { Invocation } from './terminal.ts';
import type { CaptureOptions } from './capture.ts';
import { addCheck } from './check-command.ts';
import { firmwareVersion } from '../core/license/firmware.ts';
import { given, notGiven } from './given.ts';
import type { TypedAnswers } from './init.ts';
import type { LazyCommand } from './lazy-command.ts';
import type { MigrationOptions } from './preflight.ts';
import type { ReportOptions } from './run-report.ts';
import type { LearnOptions } from './run-trust.ts';
import type { SilenceCommand, TypedSilence } from './silence.ts';
import type { BackupOptions } from './store.ts';

/** Declares every command. Help, completion, the manual page and the table of exit codes are derived from these. */
export function addCommands(program: LazyCommand): void {
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
    add(program);
}

function addInit(program: LazyCommand): void {
  program
    .configured('init', 'write a first configuration of about ten lines; asks for values that are not set by options')
    .option('--site <name>', 'name of this site in messages and on the page (default: the host name)')
    .option('--appliance <address...>', 'address of each FortiAuthenticator that sends its log to this machine')
    .option('--mail-server <host[:port]>', 'mail server that FortiAuthenticator uses to send activation codes')
    .option('--tell <email address...>', 'recipients of notifications')
    .option('--alertmanager <url>', 'URL of a Prometheus Alertmanager that alerts are sent to')
    .addHelpText('after', INIT_HELP)
    .exits({ 0: 'written', 3: 'not written' })
    .runs(async (invocation, options: TypedAnswers) => (await import('./init.ts')).init(options, invocation));
}

const INIT_HELP = `
The configuration is written to the file given with --config. By default, this is /etc/ftm-watch/ftm-watch.yaml if that
folder exists, otherwise config/ftm-watch.yaml. An existing file is never overwritten.

Example:
  ftm-watch init --appliance 10.0.0.5 --mail-server mail.example.org --tell admins@example.org

`;

function addWatching(program: LazyCommand): void {
  program
    .configured('run', 'run the daemon: run checks on a schedule, receive logs, export metrics, and send notifications')
    .exits({ 0: 'stopped on request', 3: 'the daemon could not start' })
    .runs(async (invocation) => (await import('./run.ts')).run(invocation));
  program
    .configured('reload', "reload the running daemon's configuration")
    .exits({
      0: 'the configuration was reloaded',
      2: 'the configuration was rejected',
      3: 'the daemon cannot be reached',
    })
    .runs(async (invocation) => (await import('./reload.ts')).reload(invocation));
}

function addPreflight(program: LazyCommand): void {
  const group = program
    .command('preflight')
    .description('prepare for a change: list what must be done and what will be lost');
  group
    .configured('migration', 'prepare to replace, move or upgrade a unit or to transfer a licence; writes a snapshot')
    .option('--unit <name>', 'configured name of the appliance; required if several appliances are configured')
    .option(
      '--new-serial <serial>',
      'future serial number of the unit, or of the unit that the licences are transferred to',
    )
    .option('--new-address <address>', "future source address of the unit's traffic", ipAddress)
    .option('--new-firmware <version>', 'future firmware version of the unit', version)
    .option('--license <number...>', 'transfer only these licences to --new-serial and keep the unit')
    .option('-o, --output <path>', 'file or directory for the snapshot; - prints only the snapshot to standard output')
    .option('--users', 'also list the users who need a new token (the API account must have permission to view users)')
    .option('--force', 'overwrite an existing snapshot')
    .option('--json', 'print only a JSON object')
    .option('--verify <snapshot>', 'after the change: show what has changed since the snapshot, and what that means')
    .addHelpText('after', PREFLIGHT_HELP)
    .exits({
      0: 'nothing to do',
      1: 'data will be lost, action is required, or something could not be checked',
      2: 'something is broken',
      3: 'unknown',
    })
    .runs(async (invocation, options: MigrationOptions) =>
      (await import('./preflight.ts')).preflightMigration(options, invocation),
    );
}

const ipAddress = given((text) => (isIP(text) === 0 ? null : text), 'an IP address');

const version = given((text) => firmwareVersion(text)?.join('.') ?? null, 'a version, such as 8.0.3');

const PREFLIGHT_HELP = `
Examples:
  ftm-watch preflight migration --new-serial FACVM0000000002     the unit will be replaced
  ftm-watch preflight migration --new-address 10.0.0.6           the unit will get a new address
  ftm-watch preflight migration --new-firmware 8.0.3             the unit will be upgraded
  ftm-watch preflight migration --unit fac-2 --new-firmware 8.0.3   one of several units will be upgraded
  ftm-watch preflight migration --new-serial FACVM0000000002 --license EFTM000000000001
  ftm-watch preflight migration --verify ftm-watch-migration-fac-1-….json

This command does not change any settings.
`;

function addCapture(program: LazyCommand): void {
  program
    .configured(
      'capture',
      'evaluate the TLS connections in a packet capture and show which certificates FortiAuthenticator received',
    )
    .argument(
      '[file...]',
      'pcap or pcapng files, optionally compressed with gzip, or text output of a sniffer; - for standard input',
    )
    .option('--json', 'print only a JSON object')
    .option('--all', 'also show TLS connections to other servers')
    .option('--attach <incident>', "add the verdict to one of the running daemon's open incidents")
    .addOption(
      new Option('--print-command <device>', 'print the commands for making a capture on this device').choices([
        'fortigate',
        'appliance',
      ]),
    )
    .addHelpText('after', CAPTURE_HELP)
    .exits({
      0: 'the certificates are genuine, or the commands were printed',
      1: 'warnings',
      2: 'a certificate is not genuine, or the server rejected the connection or could not be reached',
      3: 'no connection could be evaluated, or a file cannot be read',
    })
    .runs(async (invocation, files: readonly string[], options: CaptureOptions) =>
      (await import('./capture.ts')).runCapture(files, options, invocation),
    );
}

const CAPTURE_HELP = `
The format is detected automatically. It can be a pcap or pcapng file exported from FortiAuthenticator or FortiGate,
or the text output of "diagnose sniffer packet any '…' 6" (levels 2, 3, 5 and 6), "tcpdump -X" or "tcpdump -XX".
If you have captures from both sides of a firewall, specify the inside one first. No data leaves this machine.

Examples:
  ftm-watch capture --print-command fortigate   print the commands to type on the FortiGate
  ftm-watch capture putty.log                   show which certificate FortiAuthenticator received
  ftm-watch capture inside.pcap outside.pcap    check whether a device in between intercepts TLS
`;

function addReport(program: LazyCommand): void {
  program
    .configured(
      'report',
      'write a zip archive for a support ticket or the firewall team, with the results and evidence of a new ' +
        'check, and the history, but no secrets',
    )
    .option(
      '-o, --output <path>',
      'file or directory; - for standard output (default: a new file in the current directory)',
    )
    .option('--force', 'overwrite an existing file')
    .option('--capture <file...>', 'also include the verdicts on packet captures and the certificate chains in them')
    .option('--since <time>', 'start of the period: a time, a day, or a duration before now (default: all stored data)')
    .option('--until <time>', 'end of the period (default: now)')
    .addOption(
      new Option(
        '--incident <incident>',
        'instead of the archive, print this incident as Markdown, for a post-mortem',
      ).conflicts(['output', 'force', 'capture', 'since', 'until']),
    )
    .addHelpText('after', REPORT_HELP)
    .exits({ 0: 'written', 3: 'not written' })
    .runs(async (invocation, { incident, ...options }: ReportOptions & { incident?: string }) =>
      incident === undefined
        ? (await import('./run-report.ts')).runReport(options, invocation)
        : (await import('./incident.ts')).printIncident(incident, invocation),
    );
}

const REPORT_HELP = `
The archive contains:
  report.html         a page for the firewall team or the vendor, with appendices
  report.json         the same data for programs
  certificates/*.pem  each chain as it was sent
  checklist.txt       the output of "check", with every answer
  log-excerpts.txt    log lines that the daemon has stored

Incidents are read from the daemon's store. Passwords, keys, tokens, user names, email addresses, phone numbers and
activation codes are removed. Check the archive before you send it.

Examples:
  ftm-watch report                         write ftm-watch-report-SITE-TIME.zip here
  ftm-watch report -o /tmp                 write the archive to /tmp
  ftm-watch report --since 2026-11-24 --until 2026-11-25T06:00:00Z
  ssh monitor ftm-watch report -o - > report.zip
  ftm-watch report --incident 20261124T130005Z-k3v9x2-1 > post-mortem.md

To paste plain text into a ticket, use "ftm-watch check".
`;

function addLogs(program: LazyCommand): void {
  program
    .configured('explain', 'explain what a FortiAuthenticator log line means')
    .argument('[lines...]', 'log lines (default: read from standard input)')
    .option('--json', 'print one JSON object per line')
    .exits({ 0: 'a line was recognized', 1: 'no line was recognized', 3: 'no line could be read' })
    .runs(async (invocation, lines: string[], { json = false }: { json?: boolean }) =>
      (await import('./run-logs.ts')).runExplain({ lines, json }, invocation),
    );
  program
    .configured('replay', 'analyse a saved log as if it were live, and print a summary')
    .argument('<file>', 'syslog file or raw log export, optionally compressed with gzip; - for standard input')
    .option('--json', 'print a JSON object')
    .exits({ 0: 'the log was read', 3: 'the log cannot be read' })
    .runs(async (invocation, file: string, { json = false }: { json?: boolean }) =>
      (await import('./run-logs.ts')).runReplay({ file, json }, invocation),
    );
}

function addTrust(program: LazyCommand): void {
  const trust = program.command('trust').description("the licence server's trusted certificate chain");
  trust
    .configured('learn', "record the licence server's certificate chain, on a path that is known to be clean")
    .option('--yes', 'do not ask whether the path is known to be clean')
    .option(
      '--fingerprint <sha256>',
      "fingerprint of the chain's topmost certificate, obtained from another source",
      collectFingerprint,
    )
    .option('--capture <file...>', 'learn the chain from a packet capture instead; requires --fingerprint')
    .addOption(
      new Option(
        '--outside',
        'learn only the certificate, if other networks receive it as well; needs "outside" in the configuration',
      ).conflicts(['capture', 'fingerprint']),
    )
    .exits({
      0: 'learned',
      1: 'nothing learned, because the path was not confirmed as clean',
      2: 'nothing learned, because the path is inspected; --outside: or because other networks do not confirm it',
      3: 'no certificate was received',
    })
    .runs(async (invocation, options: LearnOptions) =>
      (await import('./run-trust.ts')).runTrustLearn(options, invocation),
    );
  trust
    .configured('show', 'list the trusted keys and authorities, and why they are trusted')
    .exits({ 0: 'printed', 3: 'the trusted keys cannot be read' })
    .runs(async (invocation) => (await import('./run-trust.ts')).runTrustShow(invocation));
}

/** Accepts upper and lower case, colons, spaces and OpenSSL's prefix `sha256 Fingerprint=`. */
export function collectFingerprint(typed: string, earlier: readonly string[] = []): readonly string[] {
  const digits = typed.replace(/^sha-?256(?: fingerprint)?\s*[=:]?/iu, '').replaceAll(/[:\s]/gu, '');
  if (!/^[0-9a-f]{64}$/iu.test(digits)) throw notGiven('a SHA-256 fingerprint (64 hexadecimal digits)');
  return [...earlier, (digits.toUpperCase().match(/../gu) ?? []).join(':')];
}

function addConfig(program: LazyCommand): void {
  const config = program.command('config').description('the configuration file');
  config
    .configured(
      'check',
      'list every mistake in the file, and check whether the daemon can start with it on this machine',
    )
    .option('--file-only', 'check only the text of the file, not the files, variables and ports that it refers to')
    .addHelpText('after', CONFIG_CHECK_HELP)
    .exits({ 0: 'valid', 3: 'not valid, or the daemon cannot start with this configuration on this machine' })
    .runs(async (invocation, { fileOnly = false }: { fileOnly?: boolean }) =>
      (await import('./config-check.ts')).configCheck({ fileOnly }, invocation),
    );
  config
    .configured('print', 'print the active configuration with all defaults; secrets are replaced by their sources')
    .exits({ 0: 'valid', 3: 'not valid' })
    .runs(async (invocation) => (await import('./config.ts')).runConfigPrint(invocation));
  config
    .configured('schema', 'print the JSON Schema of the configuration file, for use in editors')
    .exits({ 0: 'printed' })
    .runs(async (invocation) => (await import('./config.ts')).configSchemaCommand(invocation));
}

const CONFIG_CHECK_HELP = `
This command loads the same files as the daemon: certificates and keys, trusted authorities, secrets, signatures,
products and learned chains. It also tests whether the ports can be opened, unless the running daemon uses them, and
whether the store can be used. It does not create any files. If run as root, it switches to the user of the
installed service.

`;

function addNotify(program: LazyCommand): void {
  const notify = program.command('notify').description('notification channels');
  notify
    .configured('test', 'send a test message through every configured channel')
    .exits({ 0: 'all messages were accepted', 2: 'a message was not accepted', 3: 'no channel is configured' })
    .runs(async (invocation) => (await import('./notify.ts')).notifyTest(invocation));
}

function addSilence(program: LazyCommand): void {
  const silence = program.command('silence').description('hold back notifications (needs a running daemon)');
  const run = async (wish: SilenceCommand, invocation: Invocation): Promise<number> =>
    (await import('./silence.ts')).runSilence(wish, invocation);
  silence
    .configured('add', 'hold back notifications; incidents are still tracked')
    .option('--from <time>', 'start of the silence, such as 2026-11-24T16:00:00Z (default: now)')
    .option('--for <duration>', 'duration of the silence, such as 90s, 15m, 2h or 7d')
    .option('--until <time>', 'end of the silence, such as 2026-11-24T18:00:00Z')
    .option('--cause <cause>', 'silence only this cause, such as tls-intercepted')
    .option('--subject <subject>', 'silence only this host:port, mail server or unit')
    .option('--by <name>', 'your name, which is displayed but not verified (default: your account)')
    .requiredOption('--comment <text>', 'reason for the silence')
    .addHelpText('after', SILENCE_HELP)
    .exits({ 0: 'silenced', 2: 'the daemon rejected the request', 3: 'the daemon cannot be reached' })
    .runs((invocation, silence: TypedSilence) => run({ kind: 'add', silence }, invocation));
  silence
    .configured('list', 'list active and planned silences')
    .option('--json', 'print a JSON object')
    .exits({ 0: 'listed', 2: 'the daemon rejected the request', 3: 'the daemon cannot be reached' })
    .runs((invocation, { json = false }: { json?: boolean }) => run({ kind: 'list', json }, invocation));
  silence
    .configured('remove', 'end silences immediately')
    .argument('<ids...>', 'ids of the silences, as printed by "silence list"')
    .exits({ 0: 'all silences were removed', 2: 'the daemon rejected a request', 3: 'the daemon cannot be reached' })
    .runs((invocation, ids: string[]) => run({ kind: 'remove', ids }, invocation));
}

const SILENCE_HELP = `
Without --cause and --subject, all notifications are silenced. A silence ends within 90 days. The names of causes are
listed by "ftm-watch check --json" and on the status page.

Examples:
  ftm-watch silence add --for 2h --cause tls-intercepted --comment "exemption requested"
  ftm-watch silence add --from 2026-11-28T22:00:00Z --for 8h --comment "power maintenance"
  ftm-watch silence add --until 2026-11-29T06:00:00Z --subject mail.example.org:25 --comment "server move"

This command can be used by root, by the daemon's user, and by members of that user's group.
`;

function addStore(program: LazyCommand): void {
  const store = program.command('store').description("the daemon's stored history, incidents and messages");
  store
    .configured('check', 'check the store or a copy of it for damage, without changing it')
    .argument('[file]', 'a copy of the store (default: the configured store)')
    .exits({
      0: 'the store is intact',
      2: 'the store is damaged or was written by a newer version',
      3: 'the store cannot be read',
    })
    .runs(async (invocation, file: string | undefined) => (await import('./store.ts')).storeCheck(file, invocation));
  store
    .configured('backup', 'copy the store; the daemon can keep running')
    .argument('<file>', 'file to write the copy to')
    .option('--force', 'overwrite an existing file')
    .option('--keep-pending', 'keep undelivered messages in the copy, for a move to another machine')
    .addHelpText('after', '\nTo restore a copy, see docs/install.md.\n')
    .exits({ 0: 'copied', 3: 'not copied' })
    .runs(async (invocation, file: string, options: BackupOptions) =>
      (await import('./store.ts')).storeBackup(file, options, invocation),
    );
}

function addWeb(program: LazyCommand): void {
  program
    .command('web')
    .description('the status page')
    .command('hash-password')
    .description('read a password from the terminal or a pipe, and print its hash for use in web.users')
    .exits({ 0: 'printed', 3: 'the password cannot be used' })
    .runs(async (invocation) => (await import('./run-web.ts')).runHashPassword(invocation));
}

interface DemoOptions {
  readonly fault?: readonly string[];
  readonly speed: number;
  readonly pause: boolean;
  readonly loop?: boolean;
}

function addDemo(program: LazyCommand): void {
  program
    .command('demo')
    .description('simulate a site on this machine, break it in three ways, and show how each fault is detected')
    .option('--fault <name...>', 'faults to simulate, in this order (default: inspection dns license)')
    .option('--speed <number>', 'playback speed, from 0.1 to 100', given(speedOf, 'a number from 0.1 to 100'), 1)
    .option('--no-pause', 'do not pause between steps')
    .option('--loop', 'repeat until interrupted with Ctrl-C')
    .addHelpText('after', DEMO_HELP)
    .exits({
      0: 'every fault was found, reported and resolved',
      1: 'a fault was not found, reported or resolved',
      3: 'the demo could not run',
      130: 'stopped',
    })
    .runs(async (invocation, { fault, speed: typed, pause, loop }: DemoOptions) => {
      const leaving = new AbortController();
      invocation.onHangup(() => leaving.abort(new Error('The terminal was closed')));
      // Its simulated servers are bundled as a separate file.
      const { demo } = await import('../demo/demo.ts');
      const options = { faults: fault ?? [], speed: pause ? typed : null, isEndless: loop === true };
      const signal = AbortSignal.any([invocation.signal, leaving.signal]);
      return demo(options, { ...invocation, main: process.argv[1] ?? '', signal });
    });
}

function speedOf(text: string): number | null {
  const speed = Number(text);
  return speed >= 0.1 && speed <= 100 ? speed : null;
}

const DEMO_HELP = `
The demo uses only 127.0.0.1. It needs no root access, no network and no FortiAuthenticator. The site
is simulated, but the daemon is real, and its status page works while the demo runs. After each fault,
the demo shows the finding, the evidence, the remedy and the alert, and then repairs the fault. The
demo takes about a minute, ends on its own, and leaves no files behind.

Faults:
  inspection         the firewall inspects TLS to the licence server with its own certificate
  dns                a DNS filter answers with the filter's address
  license            after a migration, the licence is still registered to the former HA peer
  license-elsewhere  the licence is registered to a unit that does not belong to the site
  block-page         a web filter answers with a block page
  reset              intrusion prevention resets every TLS session
  egress             a firewall policy rejects the connection
  mail               the mail server rejects the recipients of activation codes

Examples:
  ftm-watch demo                        simulate the first three faults
  ftm-watch demo --fault egress mail    simulate two other faults
  ftm-watch demo --loop --speed 0.3     repeat slowly, for a presentation
`;

const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

function addCompletion(program: LazyCommand): void {
  program
    .command('completion')
    .description('print a script that lets a shell complete commands and options')
    .addArgument(new Argument('<shell>', 'the shell that you use').choices(SHELLS))
    .addHelpText('after', HELP)
    .exits({ 0: 'printed' })
    .runs(async ({ output }, shell: Shell) => {
      const { completion } = await import('./completion.ts');
      output.write(completion(shell, program));
      return 0;
    });
}

const HELP = `
Run one of these commands, or add it to your shell's startup file:
  bash   source <(ftm-watch completion bash)
  zsh    source <(ftm-watch completion zsh)
  fish   ftm-watch completion fish | source
`;
