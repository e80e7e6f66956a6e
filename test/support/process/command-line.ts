import { runProgram } from '../../../src/cli/program.ts';
import type { Terminal } from '../../../src/cli/terminal.ts';
import { systemClock } from '../../../src/system/clock.ts';

export interface Ran {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

/** Runs a command in this process as user ada on a machine named watcher. */
export async function runCommand(args: readonly string[], more: Partial<Terminal>): Promise<Ran> {
  const written = { output: '', errors: '' };
  const code = await runProgram(args, {
    version: '0.1.0',
    clock: systemClock,
    env: {},
    hostname: 'watcher',
    account: 'ada',
    cwd: process.cwd(),
    checkout: null,
    input: (async function* () {})(),
    output: { write: (text) => (written.output += String(text)) },
    errors: { write: (text) => (written.errors += text) },
    style: { color: false, width: 100 },
    progress: null,
    askHidden: null,
    ask: null,
    signal: new AbortController().signal,
    onHangup: () => undefined,
    ...more,
  });
  return { code, ...written };
}
