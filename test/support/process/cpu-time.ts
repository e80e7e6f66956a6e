/** Returns the CPU time of the work in milliseconds. Waiting on a busy machine is not counted. */
export function cpuMsOf(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}

/** CPU time of this thread, in milliseconds. */
export interface Turns extends Disposable {
  /** Of the turn that took longest. */
  longest(): number;
  sum(): number;
}

/** Watches the turns of the event loop. */
export function watchTurns(): Turns {
  const start = process.threadCpuUsage();
  let before = start;
  let longest = 0;
  const spentSince = (usage: NodeJS.CpuUsage): number => {
    const { user, system } = process.threadCpuUsage(usage);
    return (user + system) / 1000;
  };
  const timer = setInterval(() => {
    longest = Math.max(longest, spentSince(before));
    before = process.threadCpuUsage();
  }, 1);
  return { longest: () => longest, sum: () => spentSince(start), [Symbol.dispose]: () => clearInterval(timer) };
}

const RUNS = 4;

/** The shortest of several measurements, because other work in this thread can only make one longer. */
export async function leastCpuMsOf(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    const before = process.threadCpuUsage();
    await work();
    const { user, system } = process.threadCpuUsage(before);
    times.push((user + system) / 1000);
  }
  return Math.min(...times);
}
