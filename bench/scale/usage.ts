import { readdirSync, readFileSync } from 'node:fs';

/** USER_HZ of Linux, the unit of /proc/PID/stat. */
const TICKS_A_SECOND = 100;

/** Resource usage of a process, as reported by the operating system. */
export interface Usage {
  /** User and system time. */
  readonly cpuSeconds: number;
  readonly rssMegabytes: number;
}

export function usageOf(pid: number): Usage {
  const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const rss = /VmRSS:\s+(\d+) kB/u.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'));
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND,
    rssMegabytes: Number(rss?.[1] ?? 0) / 1024,
  };
}

/** Number of open files of a process, including sockets. */
export function filesOf(pid: number): number {
  return readdirSync(`/proc/${String(pid)}/fd`).length;
}
