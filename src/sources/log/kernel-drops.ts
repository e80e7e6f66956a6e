import { readFile } from 'node:fs/promises';
import { endianness } from 'node:os';
import ipaddr from 'ipaddr.js';
import type { ListenAddress } from '../../config/schema/host-port.ts';
import type { Clock, Millis } from '../../core/clock.ts';
import { beat } from '../../system/beat.ts';

const LOOK_EVERY: Millis = 5000;

export interface KernelDrops {
  /** Null where the kernel does not tell, or was not asked yet. */
  total(): number | null;
  /** Looks a last time, while the socket is still there. */
  stop(): Promise<void>;
}

/**
 * Under the process and not `/proc/net`, which is hidden where only processes are to be seen (`ProcSubset=pid` of
 * systemd).
 */
const TABLES = ['/proc/self/net/udp', '/proc/self/net/udp6'] as const;

/**
 * Datagrams that the kernel dropped at the socket bound there, because its buffer was full. Null where the kernel does
 * not tell (not Linux, /proc hidden).
 * @internal
 */
export async function readKernelDrops(bound: ListenAddress): Promise<number | null> {
  const tables = await Promise.all(TABLES.map(readTable));
  const drops = tables.flatMap((table) => (table === null ? [] : dropsInTable(table, bound, endianness())));
  return drops.length === 0 ? null : drops.reduce((sum, count) => sum + count, 0);
}

/**
 * The `drops` column, the last one, of each socket bound there (proc_net_udp in the kernel's documentation). Other
 * programs may have the same port at other addresses.
 * @internal
 */
export function dropsInTable(table: string, bound: ListenAddress, order: 'LE' | 'BE'): readonly number[] {
  const wanted = localAddress(bound, order);
  return table
    .split('\n')
    .slice(1)
    .map((row) => row.trim().split(/\s+/u))
    .filter((columns) => columns[1] === wanted)
    .map((columns) => Number(columns.at(-1)))
    .filter((count) => Number.isSafeInteger(count));
}

/** As the kernel prints it: words of four bytes, each as a number of the machine, and the port. */
function localAddress({ address, port }: ListenAddress, order: 'LE' | 'BE'): string {
  const bytes = Buffer.from(ipaddr.parse(address).toByteArray());
  const text = (order === 'LE' ? bytes.swap32() : bytes).toString('hex');
  return `${text}:${port.toString(16).padStart(4, '0')}`.toUpperCase();
}

async function readTable(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return null;
  }
}

/** Looks at the kernel's counter from time to time, and tells how much it grew. */
export function watchKernelDrops(clock: Clock, bound: ListenAddress, onMore: (more: number) => void): KernelDrops {
  let seen: number | null = null;

  async function look(): Promise<void> {
    const total = await readKernelDrops(bound);
    if (total === null) return;
    const more = total - (seen ?? 0);
    seen = total;
    if (more > 0) onMore(more);
  }

  let looking = look();
  const cancel = beat(clock, LOOK_EVERY, () => {
    looking = looking.then(look);
  });
  return {
    total: () => seen,
    stop: async () => {
      cancel();
      await looking;
      await look();
    },
  };
}
