import type { Command } from 'commander';
import { createProgram } from '../../src/cli/program.ts';

/** Returns the command line for documentation only: no command can be run. `write` receives its output. */
export function describedProgram(version: string, write: (text: string) => void): Command {
  const output = { write: (text: string | Uint8Array) => write(String(text)) };
  return createProgram({ version, output, errors: output }, notCarriedOut);
}

function notCarriedOut(): never {
  throw new Error('Cannot carry a command out: it is only described');
}
