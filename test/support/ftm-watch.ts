import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** How one run of the program ended. */
export interface Run {
  /** null: a signal ended it. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** From the start of the process to its end. */
  readonly durationMs: number;
}

export interface RunOptions {
  /** Where it runs: file names, and the default configuration, are relative to it. */
  readonly cwd: string;
  /** Beside PATH and TZ, which are all that it inherits. */
  readonly env?: Readonly<Record<string, string>>;
  /** A command that starts another one, such as in another network namespace. @default starts it here */
  readonly prefix?: readonly string[];
  /** Of another version of the program. @default this one */
  readonly main?: string;
  /** Ctrl-C is pressed when this resolves. */
  readonly interruptAfter?: Promise<unknown>;
}

/** Runs the real program, without a terminal, until it ends by itself. */
export async function runFtmWatch(args: readonly string[], options: RunOptions): Promise<Run> {
  const { cwd, env = {}, prefix = [], main = MAIN, interruptAfter } = options;
  const [command = '', ...rest] = [...prefix, process.execPath, main, ...args];
  const started = performance.now();
  const child = spawn(command, rest, { cwd, env: { ...inherited(), ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  }
  void interruptAfter?.then(() => child.kill('SIGINT'));
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { exitCode, ...output, durationMs: performance.now() - started };
}

function inherited(): NodeJS.ProcessEnv {
  const { PATH, TZ } = process.env;
  return { ...(PATH === undefined ? {} : { PATH }), ...(TZ === undefined ? {} : { TZ }) };
}
