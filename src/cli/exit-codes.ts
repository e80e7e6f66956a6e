import type { Command } from 'commander';

/** Meanings of exit codes, by number. */
type ExitCodes = Readonly<Record<number, string>>;

/**
 * By full command name. For every command, 3 also means that the arguments or the configuration are invalid.
 * @internal also used for the documentation page
 */
export const EXIT_CODES: ReadonlyMap<string, ExitCodes> = new Map<string, ExitCodes>([
  ['init', { 0: 'written', 3: 'not written' }],
  ['run', { 0: 'stopped on request', 3: 'it could not start' }],
  ['reload', { 0: 'the configuration was reloaded', 2: 'it was rejected', 3: 'the daemon cannot be reached' }],
  [
    'check',
    {
      0: 'ready; --verify: the repair is active',
      1: 'warnings, or ready while an incident of the running daemon is open',
      2: 'not ready, by this check or by an incident of the daemon that one check cannot see; --verify: not active',
      3: 'unknown; --verify: not visible',
    },
  ],
  [
    'preflight migration',
    { 0: 'nothing to do', 1: 'something is lost, to be done or not visible', 2: 'something is broken', 3: 'unknown' },
  ],
  [
    'capture',
    {
      0: 'genuine, or commands printed',
      1: 'warnings',
      2: 'not genuine, refused or not reached',
      3: 'nothing could be judged, or a file cannot be read',
    },
  ],
  ['report', { 0: 'written', 3: 'not written' }],
  ['explain', { 0: 'a line was recognized', 1: 'nothing was recognized', 3: 'no line could be read' }],
  ['replay', { 0: 'the log was read', 3: 'it cannot be read' }],
  [
    'trust learn',
    {
      0: 'learned',
      1: 'not confirmed, nothing learned',
      2: 'refused: the path is inspected',
      3: 'no certificate was seen',
    },
  ],
  ['trust show', { 0: 'shown', 3: 'it cannot be read' }],
  ['config check', { 0: 'valid', 3: 'not valid, or the daemon cannot start with it on this machine' }],
  ['config print', { 0: 'valid', 3: 'not valid' }],
  ['config schema', { 0: 'printed' }],
  ['notify test', { 0: 'all were accepted', 2: 'one was not accepted', 3: 'no channel is configured' }],
  ['silence add', { 0: 'silenced', 2: 'the daemon refuses', 3: 'the daemon cannot be reached' }],
  ['silence list', { 0: 'listed', 2: 'the daemon refuses', 3: 'the daemon cannot be reached' }],
  ['silence remove', { 0: 'all were removed', 2: 'the daemon refuses one', 3: 'the daemon cannot be reached' }],
  ['store check', { 0: 'it is intact', 2: 'it is damaged or of a newer version', 3: 'it cannot be read' }],
  ['store backup', { 0: 'copied', 3: 'not copied' }],
  ['web hash-password', { 0: 'printed', 3: 'the password cannot be used' }],
  [
    'demo',
    { 0: 'each fault was found, reported and resolved', 1: 'one was not', 3: 'it could not run', 130: 'stopped' },
  ],
  ['completion', { 0: 'printed' }],
]);

/** Returns the executable commands with their full names. @internal */
export function leafCommands(command: Command, path: readonly string[] = []): readonly (readonly [string, Command])[] {
  if (command.commands.length === 0) return [[path.join(' '), command]];
  return command.commands.flatMap((child) => leafCommands(child, [...path, child.name()]));
}

/** Appends the exit codes to the help of every command. */
export function describeExitCodes(program: Command): void {
  for (const [name, command] of leafCommands(program)) {
    const codes = Object.entries(EXIT_CODES.get(name) ?? {}).map(([code, meaning]) => `${code} ${meaning}`);
    command.addHelpText('after', `\nExit code: ${codes.join(', ')}.`);
  }
}

/** Invalid usage or an unknown result: "unknown" for a Nagios plugin. */
export const EXIT_UNKNOWN = 3;
