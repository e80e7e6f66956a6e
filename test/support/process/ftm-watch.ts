import { spawn } from 'node:child_process';
import { PROGRAM } from './program.ts';

/** Result of one run of the program. */
export interface Run {
  /** null: killed by a signal. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** From the start of the process to its exit. */
  readonly durationMs: number;
}

export interface RunOptions {
  /** Working directory, to which file names and the default configuration are relative. */
  readonly cwd: string;
  /** In addition to PATH and TZ, the only variables that it inherits. */
  readonly env?: Readonly<Record<string, string>>;
  /** A command that starts another one, for example in another network namespace. @default none */
  readonly prefix?: readonly string[];
  /** `main.js` of another version of the program. @default this version */
  readonly main?: string;
  /** Ctrl-C is sent when this resolves. */
  readonly interruptAfter?: Promise<unknown>;
}

/** Runs the real program without a terminal until it exits. */
export async function runFtmWatch(args: readonly string[], options: RunOptions): Promise<Run> {
  const { cwd, env = {}, prefix = [], main = PROGRAM, interruptAfter } = options;
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
