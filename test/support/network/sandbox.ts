import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';

const ENTER = 'nsenter';

/** Reports that the namespaces exist, then keeps them until its input closes. */
const HOLD = 'ip link set lo up && echo ready && exec cat';

/**
 * An unnamed network namespace with a mount namespace. It exists as long as a process in it runs, which is tied to
 * the test, however the test ends.
 */
export interface Sandbox extends AsyncDisposable {
  readonly pid: number;
  /** Command prefix for running a command in the sandbox. */
  readonly prefix: readonly string[];
  /** Runs a command in the sandbox. @throws with its output if it fails */
  sh(command: string): void;
}

/** Creates a sandbox with only loopback. Needs root, and the programs `ip`, `unshare` and `nsenter`. */
export async function createSandbox(): Promise<Sandbox> {
  const holder = spawn('unshare', ['--net', '--mount', '--propagation', 'private', 'sh', '-c', HOLD], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await readLine(holder);
  const pid = holder.pid ?? 0;
  const into = [
    `--net=/proc/${String(pid)}/ns/net`,
    `--mount=/proc/${String(pid)}/ns/mnt`,
    // Opened before the namespaces are entered: the working directory of whoever runs the command.
    '--wd=.',
    '--',
  ];
  return {
    pid,
    prefix: [ENTER, ...into],
    sh: (command) => {
      const { status, stderr } = spawnSync(ENTER, [...into, 'sh', '-ec', command], { encoding: 'utf8' });
      if (status !== 0) throw new Error(`Cannot run "${command}" in the sandbox: ${stderr.trim()}`);
    },
    [Symbol.asyncDispose]: async () => {
      const gone = once(holder, 'close');
      holder.stdin.end();
      await gone;
    },
  };
}

async function readLine(holder: ChildProcessByStdio<Writable, Readable, null>): Promise<void> {
  const said = await Promise.race([once(holder.stdout, 'data'), once(holder, 'close').then(() => null)]);
  if (said === null) throw new Error('Cannot make a network namespace: expected the right to do so');
}
