import type { Command, Help } from 'commander';
import { describedProgram, leafCommands } from './described-program.ts';

/** Issue of the page, not of the program. */
interface Issue {
  readonly version: string;
  /** ISO 8601. */
  readonly date: string;
}

/** Returns the manual page of the command line in man(7), generated from the actual commands. */
export function manPage({ version, date }: Issue): string {
  const written: string[] = [];
  const program = describedProgram(version, (text) => written.push(text));
  const help = program.createHelp();
  const helpAfter = (command: Command): string => {
    written.length = 0;
    command.outputHelp();
    return written.join('').replace(command.helpInformation(), '').trim();
  };
  return [
    `.TH FTM\\-WATCH 1 "${date}" "ftm\\-watch ${version}" "User Commands"`,
    '.SH NAME',
    `ftm\\-watch \\- ${plain(program.description())}`,
    '.SH SYNOPSIS',
    `.B ${plain(help.commandUsage(program))}`,
    '.SH DESCRIPTION',
    'ftm\\-watch runs next to FortiAuthenticator, checks the whole path of FortiToken Mobile activation, and reports',
    'the cause of a failure. It can run as a daemon',
    '.RB ( run )',
    'or as a manual check',
    '.RB ( check ).',
    '.SH OPTIONS',
    ...optionsOf(program, help),
    '.SH COMMANDS',
    ...leafCommands(program).flatMap(([, command]) => section(command, help, helpAfter(command))),
    '.SH EXAMPLES',
    ...prose(helpAfter(program).replace(/^Examples:\n/u, '')),
    '.SH FILES',
    ...FILES.flatMap(([path, purpose]) => ['.TP', `.I ${plain(path)}`, plain(purpose)]),
    '',
  ].join('\n');
}

const FILES: readonly (readonly [path: string, purpose: string])[] = [
  ['/etc/ftm-watch/ftm-watch.yaml', 'the configuration'],
  ['/etc/ftm-watch/secrets', 'passwords and keys for the configuration, readable only by root and the service'],
  ['/var/lib/ftm-watch', 'open incidents, undelivered notifications and the history'],
  ['/usr/share/ftm-watch', 'files for Zabbix, PRTG and other monitoring systems to import'],
  ['/usr/share/doc/ftm-watch', 'the configuration reference, alerts and runbooks'],
];

function section(command: Command, help: Help, after: string): readonly string[] {
  const usage = plain(help.commandUsage(command).replace(/^ftm-watch /u, ''));
  const description = [command.parent, command]
    .filter((one) => one !== null && one.parent !== null)
    .map((one) => one?.description() ?? '');
  return [
    `.SS "${usage.replaceAll('"', '\\(dq')}"`,
    sentence(description.join(': ')),
    ...help.visibleArguments(command).flatMap((one) => tagged(one.name(), help.argumentDescription(one))),
    ...optionsOf(command, help),
    ...(after === '' ? [] : ['.PP', ...prose(after)]),
  ];
}

function optionsOf(command: Command, help: Help): readonly string[] {
  // Every command has these options, so they are listed only once at the beginning.
  const common = command.parent === null ? [] : ['--help', '--config'];
  return help
    .visibleOptions(command)
    .filter(({ long }) => !common.includes(long ?? ''))
    .flatMap((option) => tagged(option.flags, help.optionDescription(option)));
}

function tagged(tag: string, text: string): readonly string[] {
  return ['.TP', `.B ${plain(tag)}`, sentence(text)];
}

function sentence(text: string): string {
  return plain(text === '' ? '' : `${text.charAt(0).toUpperCase()}${text.slice(1)}.`);
}

/** Paragraphs are filled. Indented lines are kept unchanged. */
function prose(text: string): readonly string[] {
  return text.split(/^((?: {2,}.*\n?)+)/mu).flatMap((part) => {
    if (part.startsWith('  ')) return ['.nf', ...part.trimEnd().split('\n').map(plain), '.fi'];
    return part.trim() === '' ? [] : plain(part.trim()).replaceAll('\n\n', '\n.PP\n').split('\n');
  });
}

/** Escapes roff requests and escapes. */
function plain(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll(/^(?=[.'])/gmu, '\\&');
}
