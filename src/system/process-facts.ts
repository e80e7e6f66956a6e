import { readdir, readFile, readlink, realpath } from 'node:fs/promises';
import { resolve } from 'node:path';

/** The standard process metrics in Prometheus clients. Null if a metric is not available on this system. */
export interface ProcessFigures {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly virtualBytes: number | null;
  readonly openFiles: number | null;
  readonly mostFiles: number | null;
  readonly heapUsedBytes: number;
  readonly heapTotalBytes: number;
  /** Memory used by buffers outside V8's heap. */
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

export type Transport = 'tcp' | 'udp';

export type HoldsPort = (transport: Transport, port: number) => boolean;

/**
 * Columns in the tables in /proc/net (proc_pid_net(5)): sl, local address, remote address, state, queues, timer,
 * retransmits, uid, timeout, inode.
 */
const COLUMNS = { address: 1, state: 3, inode: 9 } as const;
const LISTENING = '0A';

/** Returns null if the ports cannot be read, for example on other operating systems or for another user's process. */
export async function portsOf(pid: number): Promise<HoldsPort | null> {
  try {
    const inodes = await socketsOf(pid);
    const ports = new Set([
      ...(await portsIn('tcp', inodes)).map((port) => `tcp ${String(port)}`),
      ...(await portsIn('udp', inodes)).map((port) => `udp ${String(port)}`),
    ]);
    return (transport, port) => ports.has(`${transport} ${String(port)}`);
  } catch {
    return null;
  }
}

/** Other processes that run this program with this command. Empty if processes cannot be listed. */
export async function processesOf(program: string, command: string): Promise<readonly number[]> {
  const entries = await readdir('/proc').catch(() => []);
  const pids = entries.filter((entry) => /^\d+$/u.test(entry) && Number(entry) !== process.pid);
  const running = await Promise.all(
    pids.map(async (pid) => {
      const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      const words = line.split('\0');
      // Options can be written between the program and the command.
      const before = words.slice(0, Math.max(0, words.indexOf(command)));
      const same = await Promise.all(before.map((path) => isSameFile(resolve(`/proc/${pid}/cwd`, path), program)));
      return same.includes(true) ? [Number(pid)] : [];
    }),
  );
  return running.flat();
}

async function isSameFile(a: string, b: string): Promise<boolean> {
  const [first, second] = await Promise.all([a, b].map((path) => realpath(path).catch(() => null)));
  return first !== null && first === second;
}

async function socketsOf(pid: number): Promise<ReadonlySet<string>> {
  const folder = `/proc/${String(pid)}/fd`;
  const names = await readdir(folder);
  // Some files may have been closed in the meantime.
  const links = await Promise.all(names.map((name) => readlink(`${folder}/${name}`).catch(() => '')));
  return new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/u.exec(link)?.[1] ?? []));
}

async function portsIn(transport: Transport, inodes: ReadonlySet<string>): Promise<readonly number[]> {
  const tables = await Promise.all(
    [`/proc/net/${transport}`, `/proc/net/${transport}6`].map((file) => readFile(file, 'utf8').catch(() => '')),
  );
  return tables
    .flatMap((table) => table.split('\n').slice(1))
    .map((row) => row.trim().split(/\s+/u))
    .filter((row) => inodes.has(row[COLUMNS.inode] ?? ''))
    .filter((row) => transport === 'udp' || row[COLUMNS.state] === LISTENING)
    .map((row) => Number.parseInt(row[COLUMNS.address]?.split(':')[1] ?? '', 16));
}
