import { readdirSync, readFileSync } from 'node:fs';

/** USER_HZ of Linux, the unit of /proc/PID/stat. */
const TICKS_A_SECOND = 100;

/** User and system time of all threads of a process so far, in milliseconds, to 10 ms (proc_pid_stat(5)). */
export function cpuMilliseconds(pid: number): number {
  const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_A_SECOND;
}

/**
 * As {@link cpuMilliseconds} but to the microsecond, and only for threads that are alive
 * (Documentation/scheduler/sched-stats.rst).
 */
export function runMilliseconds(pid: number): number {
  const threads = readdirSync(`/proc/${String(pid)}/task`);
  const ran = threads.map((thread) => {
    const [nanoseconds] = readFileSync(`/proc/${String(pid)}/task/${thread}/schedstat`, 'utf8').split(' ');
    return Number(nanoseconds) / 1_000_000;
  });
  return ran.reduce((sum, one) => sum + one, 0);
}

/** Context switches of all threads of a process that are alive, and of its descendants (proc_pid_status(5)). */
export interface ContextSwitches {
  /** A thread had nothing to do any more: once for each time that it was woken. */
  readonly voluntary: number;
  /** Another thread needed the processor. */
  readonly involuntary: number;
}

export function familySwitches(pid: number): ContextSwitches {
  const statuses = familyOf(pid).flatMap((one) =>
    readdirSync(`/proc/${String(one)}/task`).map((thread) =>
      readFileSync(`/proc/${String(one)}/task/${thread}/status`, 'utf8'),
    ),
  );
  const sum = (name: string): number =>
    statuses.reduce(
      (total, status) => total + Number(new RegExp(String.raw`^${name}:\s+(\d+)$`, 'mu').exec(status)?.[1] ?? 0),
      0,
    );
  return { voluntary: sum('voluntary_ctxt_switches'), involuntary: sum('nonvoluntary_ctxt_switches') };
}

/** The process and its descendants. */
export function familyOf(pid: number): readonly number[] {
  const threads = readdirSync(`/proc/${String(pid)}/task`);
  const children = threads.flatMap((thread) =>
    (readFileSync(`/proc/${String(pid)}/task/${thread}/children`, 'utf8').match(/\d+/gu) ?? []).map(Number),
  );
  return [pid, ...children.flatMap(familyOf)];
}

/** As {@link runMilliseconds}, of the process and its descendants together. */
export function familyMilliseconds(pid: number): number {
  return familyOf(pid).reduce((sum, one) => sum + runMilliseconds(one), 0);
}

/** Memory of a process, in MiB. */
export interface ProcessMemory {
  readonly resident: number;
  /** Memory that is shared with no other process or file. */
  readonly anonymous: number;
}

/** Memory of the process and its descendants together. */
export function familyMemory(pid: number): ProcessMemory {
  const memories = familyOf(pid).map(memoryOf);
  return {
    resident: memories.reduce((sum, { resident }) => sum + resident, 0),
    anonymous: memories.reduce((sum, { anonymous }) => sum + anonymous, 0),
  };
}

export function memoryOf(pid: number): ProcessMemory {
  const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
  const mebibytes = (name: string): number =>
    Number(new RegExp(String.raw`^${name}:\s+(\d+) kB`, 'mu').exec(status)?.[1] ?? Number.NaN) / 1024;
  return { resident: mebibytes('VmRSS'), anonymous: mebibytes('RssAnon') };
}
