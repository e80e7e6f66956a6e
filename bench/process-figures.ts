import { readFileSync } from 'node:fs';

/** USER_HZ of Linux, the unit of /proc/PID/stat. */
const TICKS_A_SECOND = 100;

/** User and system time of all threads of a process so far, in milliseconds, to 10 ms (proc_pid_stat(5)). */
export function cpuMilliseconds(pid: number): number {
  const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_A_SECOND;
}

/** Resident memory of a process in MiB. */
export function residentMebibytes(pid: number): number {
  const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/u.exec(status)?.[1] ?? Number.NaN) / 1024;
}
