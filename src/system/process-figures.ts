import { readdir, readFile } from 'node:fs/promises';

/** The standard process metrics in Prometheus clients. Null if a metric is not available on this system. */
export interface ProcessFigures {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly virtualBytes: number | null;
  readonly openFiles: number | null;
  readonly mostFiles: number | null;
  readonly heapUsedBytes: number;
  readonly heapTotalBytes: number;
  /** Buffers outside V8's heap. */
  readonly externalBytes: number;
}

/** Takes about 0.2 ms. Never rejects. */
export async function readProcessFigures(): Promise<ProcessFigures> {
  const [status, limits, files] = await Promise.all([
    readFile('/proc/self/status', 'utf8').catch(() => ''),
    readFile('/proc/self/limits', 'utf8').catch(() => ''),
    readdir('/proc/self/fd').catch(() => null),
  ]);
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
  return {
    cpuSeconds: (user + system) / 1e6,
    residentBytes: rss,
    // VmSize is in kB (proc_pid_status(5)).
    virtualBytes: scaled(/^VmSize:\s+(\d+) kB$/mu.exec(status), 1024),
    // The directory handle for reading the list is also an open file.
    openFiles: files === null ? null : files.length - 1,
    // The soft limit comes before the hard limit. "unlimited" does not match (proc_pid_limits(5)).
    mostFiles: scaled(/^Max open files\s+(\d+)/mu.exec(limits), 1),
    heapUsedBytes: heapUsed,
    heapTotalBytes: heapTotal,
    externalBytes: external,
  };
}

function scaled(match: RegExpExecArray | null, factor: number): number | null {
  const [, digits] = match ?? [];
  return digits === undefined ? null : Number(digits) * factor;
}
