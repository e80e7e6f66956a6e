import { CommanderError } from 'commander';
import { addCommands } from './commands.ts';
import { type CarryOut, EXIT_UNKNOWN, LazyCommand } from './lazy-command.ts';
import type { Terminal } from './terminal.ts';
import { visibleText } from '../core/visible-text.ts';
import { messageOf } from '../text/message-of.ts';

export async function runProgram(argv: readonly string[], terminal: Terminal): Promise<number> {
  let code = 0;
  const program = createProgram(terminal, async (command, work) => {
    code = await work({ ...terminal, path: command.optsWithGlobals<{ config?: string }>().config });
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_UNKNOWN;
    terminal.errors.write(`${errorText(error)}\n`);
    return EXIT_UNKNOWN;
  }
}

const MAX_LINE = 2_000;

/** The message can quote a file or an answer that somebody else wrote. */
function errorText(error: unknown): string {
  return messageOf(error)
    .split('\n')
    .map((line) => visibleText(line, MAX_LINE))
    .join('\n');
}

/** Also used to generate the manual page. */
export function createProgram(
  terminal: Pick<Terminal, 'version' | 'output' | 'errors'>,
  carryOut: CarryOut,
): LazyCommand {
  const program = new LazyCommand('ftm-watch', carryOut)
    .description('Reports which precondition of FortiToken Mobile activation is broken, why, and how to fix it')
    .version(terminal.version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.output.write(text),
      writeErr: (text) => terminal.errors.write(text),
    })
    .option(
      '-c, --config <file>',
      'configuration file (default: /etc/ftm-watch/ftm-watch.yaml if it exists, otherwise the built-in defaults; in a ' +
        'source checkout, its config/ftm-watch.yaml is used first)',
    )
    .showHelpAfterError('(run "ftm-watch --help" for a list of commands)')
    .addHelpText('after', EXAMPLES);
  addCommands(program);
  return program;
}

const EXAMPLES = `
Examples:
  ftm-watch check                          run all checks once and print the results
  ftm-watch check --json | jq .causes      print the results for a script
  ftm-watch explain "FTM polling error: connection timeout: server connection failed: SSL session failed"
  ftm-watch config check                   list every mistake in the configuration with its line number
  ftm-watch run -c other.yaml              start the daemon with a different configuration
  ftm-watch demo                           watch three faults being found in a simulated network
`;
