import { Command, CommanderError } from 'commander';

import type { Finish, Invoked } from './commands/command.ts';
import { addCapture } from './commands/capture.ts';
import { addCheck } from './commands/check.ts';
import { addCompletion } from './commands/completion.ts';
import { addConfig } from './commands/config.ts';
import { addDemo } from './commands/demo.ts';
import { addInit } from './commands/init.ts';
import { addLogs } from './commands/logs.ts';
import { addNotify } from './commands/notify.ts';
import { addPreflight } from './commands/preflight.ts';
import { addReport } from './commands/report.ts';
import { addSilence } from './commands/silence.ts';
import { addStore } from './commands/store.ts';
import { addTrust } from './commands/trust.ts';
import { addWatching } from './commands/watching.ts';
import { addWeb } from './commands/web.ts';
import { EXIT_UNKNOWN } from './exit-code.ts';
import { describeExitCodes } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

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
