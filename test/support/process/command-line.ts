import { runProgram } from '../../../src/cli/program.ts';
import type { Terminal } from '../../../src/cli/terminal.ts';
import { systemClock } from '../../../src/system/clock.ts';
import type { Run, RunOptions } from './ftm-watch.ts';

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
    columns: null,
    progress: null,
    askHidden: null,
    ask: null,
    signal: new AbortController().signal,
    onHangup: () => undefined,
    ...more,
  });
  return { code, ...written };
}

/** As `runFtmWatch`, but in this process, which takes a fraction of the CPU time. */
export async function runHere(
  args: readonly string[],
  { cwd, env = {} }: Pick<RunOptions, 'cwd' | 'env'>,
): Promise<Run> {
  const started = performance.now();
  const { code, output, errors } = await runCommand(args, { cwd, env });
  return { exitCode: code, stdout: output, stderr: errors, durationMs: performance.now() - started };
}
