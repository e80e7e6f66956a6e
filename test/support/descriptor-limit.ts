import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';

/** The numbers of files and sockets that a process has open at each of many moments: those that it keeps. */
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

/** The limit under which so many more can be opened. */
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

/** Lets a process open so many files and sockets more, and no others, until it is disposed of. Needs `prlimit`. */
export async function limitDescriptors(pid: number, more: number): Promise<Disposable> {
  setLimit(pid, limitFor(await keptOpen(pid), more));
  return { [Symbol.dispose]: () => setLimit(pid, PLENTY) };
}
