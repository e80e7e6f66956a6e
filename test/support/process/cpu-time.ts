/** Returns the CPU time of the work in milliseconds. Waiting on a busy machine is not counted. */
export function cpuMsOf(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}
