import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';

/**
 * Returns the numbers of the files and sockets that are open in all of many samples, which are those that the process
 * keeps.
 */
async function keptOpen(pid: number): Promise<ReadonlySet<number>> {
  const look = (): Set<number> => new Set(readdirSync(`/proc/${String(pid)}/fd`).map(Number));
  let kept = look();
  for (let index = 0; index < 60; index += 1) {
    await setTimeout(25);
    const open = look();
    kept = new Set([...kept].filter((file) => open.has(file)));
  }
  return kept;
}

/** Returns the limit with which this many more can be opened. */
function limitFor(kept: ReadonlySet<number>, more: number): number {
  let [limit, free] = [0, 0];
  while (free < more || kept.has(limit)) {
    if (!kept.has(limit)) free += 1;
    limit += 1;
  }
  return limit;
}

function setLimit(pid: number, limit: number): void {
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${String(limit)}:`]);
}

const PLENTY = 4096;

/** Limits a process to this many additional files and sockets until disposal. Needs `prlimit`. */
export async function limitDescriptors(pid: number, more: number): Promise<Disposable> {
  setLimit(pid, limitFor(await keptOpen(pid), more));
  return { [Symbol.dispose]: () => setLimit(pid, PLENTY) };
}
