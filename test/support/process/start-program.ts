import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Sandbox } from '../network/sandbox.ts';
import { until } from '../time/until.ts';

/** A program that runs in the foreground. Disposal ends it and deletes its folder. */
export interface StartedProgram extends AsyncDisposable {
  readonly pid: number;
}

export interface ProgramSetup {
  readonly command: readonly string[];
  /** Files of its folder, which every account can read. */
  readonly config?: Readonly<Record<string, string>>;
  /** Called repeatedly, with everything that the program has printed. */
  readonly readyWhen: (output: string) => boolean | Promise<boolean>;
  readonly env?: Readonly<Record<string, string>>;
  /** It never outlives the test in it, however the test ends. @default it runs outside of a sandbox */
  readonly sandbox?: Sandbox;
  /** Signal that ends it. @default SIGKILL, because there is nothing to save */
  readonly stop?: NodeJS.Signals;
}

const START_LIMIT = 20_000;

/** Debian does not put some of its daemons on an ordinary user's PATH. */
const PATH = `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`;

/** Kills the program and its child processes as soon as its own input closes. */
const TIED = 'setsid "$0" "$@" & cat; kill -KILL -$!';

/**
 * Starts a program with a separate folder, and waits until it is ready.
 *
 * @throws {Error} with the program's output if it does not start
 */
export async function startProgram(setup: (folder: string) => ProgramSetup): Promise<StartedProgram> {
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'ftm-watch-program-'));
  stack.defer(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));
  const { command, config = {}, readyWhen, env = {}, sandbox, stop = 'SIGKILL' } = setup(folder);
  // Some programs drop root privileges before they read their files.
  chmodSync(folder, 0o755);
  for (const [name, text] of Object.entries(config)) writeFileSync(join(folder, name), text, { mode: 0o644 });
  const [program = '', ...args] = sandbox === undefined ? command : [...sandbox.prefix, 'sh', '-c', TIED, ...command];
  const child = spawn(program, args, { env: { ...process.env, PATH, ...env } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const ended = once(child, 'exit');
  stack.defer(async () => {
    if (sandbox === undefined) child.kill(stop);
    else child.stdin.end();
    await ended;
  });
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  try {
    await until(
      async () => hasEnded() || (await readyWhen(output)),
      (isSettled) => isSettled,
      START_LIMIT,
    );
    if (hasEnded()) throw new Error(`It ended with ${String(child.exitCode ?? child.signalCode)}`);
  } catch (error) {
    throw new Error(`Cannot start ${basename(command[0] ?? '')}:\n${output.trim()}`, { cause: error });
  }
  const owned = stack.move();
  return { pid: child.pid ?? 0, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Returns a condition: a request to the URL succeeds. */
export function servesAt(url: string): () => Promise<boolean> {
  return () =>
    fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
}

/** Returns a condition: the program accepts connections on a port of loopback. */
export function acceptsAt(port: number): () => Promise<boolean> {
  return async () => {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return true;
    } catch {
      return false;
    } finally {
      socket.destroy();
    }
  };
}

/** Returns a condition: a program in the sandbox listens on a TCP port. */
export function listensIn({ prefix }: Sandbox, port: number): () => boolean {
  const [enter = '', ...into] = prefix;
  return () => {
    const { stdout } = spawnSync(enter, [...into, 'ss', '-Hltn', `sport = :${String(port)}`], { encoding: 'utf8' });
    return stdout.trim() !== '';
  };
}
