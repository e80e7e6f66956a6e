/** Milliseconds of CPU that the work takes. A busy machine makes it wait, which is not counted. */
export function cpuMsOf(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}
