import type { Command } from 'commander';
import { createProgram } from '../../src/cli/program.ts';

/** The command line, to be described: nothing of it can be carried out. `write` is given what it prints of itself. */
export function describedProgram(version: string, write: (text: string) => void): Command {
  const output = { write: (text: string | Uint8Array) => write(String(text)) };
  return createProgram({ version, output, errors: output }, notCarriedOut, () => undefined);
}

function notCarriedOut(): never {
  throw new Error('Cannot carry a command out: it is only described');
}
