import type { Command } from 'commander';

type ExitCodes = Readonly<Record<number, string>>;

/** For every command, exit code 3 also indicates invalid arguments or an invalid configuration. */
export const EXIT_CODES: ReadonlyMap<string, ExitCodes> = new Map<string, ExitCodes>([
  ['init', { 0: 'written', 3: 'not written' }],
  ['run', { 0: 'stopped on request', 3: 'the daemon could not start' }],
  [
    'reload',
    { 0: 'the configuration was reloaded', 2: 'the configuration was rejected', 3: 'the daemon cannot be reached' },
  ],
  [
    'check',
    {
      0: 'ready; --verify: the repair is active',
      1: 'warnings, or ready while the running daemon has an open incident',
      2:
        'not ready, according to this check or to an open incident that a single check cannot detect; --verify: ' +
        'not active',
      3: 'unknown; --verify: could not be determined',
    },
  ],
  [
    'preflight migration',
    {
      0: 'nothing to do',
      1: 'data will be lost, action is required, or something could not be checked',
      2: 'something is broken',
      3: 'unknown',
    },
  ],
  [
    'capture',
    {
      0: 'the certificates are genuine, or the commands were printed',
      1: 'warnings',
      2: 'a certificate is not genuine, or the server rejected the connection or could not be reached',
      3: 'no connection could be evaluated, or a file cannot be read',
    },
  ],
  ['report', { 0: 'written', 3: 'not written' }],
  ['explain', { 0: 'a line was recognized', 1: 'no line was recognized', 3: 'no line could be read' }],
  ['replay', { 0: 'the log was read', 3: 'the log cannot be read' }],
  [
    'trust learn',
    {
      0: 'learned',
      1: 'nothing learned, because the path was not confirmed as clean',
      2: 'nothing learned, because the path is inspected',
      3: 'no certificate was received',
    },
  ],
  ['trust show', { 0: 'printed', 3: 'the trusted keys cannot be read' }],
  ['config check', { 0: 'valid', 3: 'not valid, or the daemon cannot start with this configuration on this machine' }],
  ['config print', { 0: 'valid', 3: 'not valid' }],
  ['config schema', { 0: 'printed' }],
  ['notify test', { 0: 'all messages were accepted', 2: 'a message was not accepted', 3: 'no channel is configured' }],
  ['silence add', { 0: 'silenced', 2: 'the daemon rejected the request', 3: 'the daemon cannot be reached' }],
  ['silence list', { 0: 'listed', 2: 'the daemon rejected the request', 3: 'the daemon cannot be reached' }],
  [
    'silence remove',
    { 0: 'all silences were removed', 2: 'the daemon rejected a request', 3: 'the daemon cannot be reached' },
  ],
  [
    'store check',
    {
      0: 'the store is intact',
      2: 'the store is damaged or was written by a newer version',
      3: 'the store cannot be read',
    },
  ],
  ['store backup', { 0: 'copied', 3: 'not copied' }],
  ['web hash-password', { 0: 'printed', 3: 'the password cannot be used' }],
  [
    'demo',
    {
      0: 'every fault was found, reported and resolved',
      1: 'a fault was not found, reported or resolved',
      3: 'the demo could not run',
      130: 'stopped',
    },
  ],
  ['completion', { 0: 'printed' }],
]);

export function leafCommands(command: Command, path: readonly string[] = []): readonly (readonly [string, Command])[] {
  if (command.commands.length === 0) return [[path.join(' '), command]];
  return command.commands.flatMap((child) => leafCommands(child, [...path, child.name()]));
}

export function describeExitCodes(program: Command): void {
  for (const [name, command] of leafCommands(program)) {
    const help = command.createHelp();
    help.prepareContext({ helpWidth: 80 });
    const codes = Object.entries(EXIT_CODES.get(name) ?? {}).map(([code, meaning]) =>
      help.formatItem(code, 3, meaning, help),
    );
    command.addHelpText('after', ['', 'Exit codes:', ...codes].join('\n'));
  }
}

/** Nagios plugins use the same code for the state "unknown". */
export const EXIT_UNKNOWN = 3;
