import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** Ends a process and waits for its end. */
export async function endProcess(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await ended;
}
