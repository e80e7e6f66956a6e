import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { findProgram } from './privilege.ts';
import type { Sandbox } from '../network/sandbox.ts';
import { until } from '../time/until.ts';

/** A daemon that runs in the foreground. */
export interface DaemonCommand {
  readonly program: string;
  readonly args: readonly string[];
  /** TCP port on which it listens once it is ready. */
  readonly port: number;
}

const START_LIMIT = 10_000;

/** Kills the daemon and its child processes as soon as its own input closes, so that it never outlives a test. */
const TIED = 'setsid "$0" "$@" & cat; kill -KILL -$!';

/**
 * Starts a daemon in a sandbox and waits until its port is open.
 *
 * @throws {Error} with the daemon's output if it does not start
 */
export async function startDaemon(sandbox: Sandbox, { program, args, port }: DaemonCommand): Promise<AsyncDisposable> {
  const [enter = '', ...into] = sandbox.prefix;
  const child = spawn(enter, [...into, 'sh', '-c', TIED, findProgram(program) ?? program, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const gone = once(child, 'close');
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => said.push(chunk.toString()));
  const stop = async (): Promise<void> => {
    child.stdin.end();
    await gone;
  };
  try {
    await until(
      () => Promise.resolve(child.exitCode !== null || isListening(sandbox, port)),
      (settled) => settled,
      START_LIMIT,
    );
    if (child.exitCode !== null) throw new Error(`It ended with ${String(child.exitCode)}`);
  } catch (error) {
    await stop();
    throw new Error(`Cannot start ${program}: ${said.join('').trim()}`, { cause: error });
  }
  return { [Symbol.asyncDispose]: stop };
}

function isListening({ prefix }: Sandbox, port: number): boolean {
  const [enter = '', ...into] = prefix;
  const { stdout } = spawnSync(enter, [...into, 'ss', '-Hltn', `sport = :${String(port)}`], { encoding: 'utf8' });
  return stdout.trim() !== '';
}
