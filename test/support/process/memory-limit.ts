import { accessSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A memory limit for all processes in it together. The kernel kills them if they exceed it. */
export interface MemoryLimit extends Disposable {
  /** Command prefix for starting a command under the limit. */
  readonly prefix: readonly string[];
}

/** Creates a separate control group (v1 or v2), or returns the reason why none can be created. */
export function memoryLimit(bytes: number): MemoryLimit | string {
  const failures: string[] = [];
  for (const { parent, limit } of places()) {
    const folder = join(parent, `ftm-watch-test-${String(process.pid)}`);
    try {
      mkdirSync(folder);
    } catch (error) {
      failures.push(String(error));
      continue;
    }
    try {
      // The kernel creates the file. If it is missing, a write would create an ordinary file.
      accessSync(join(folder, limit));
      writeFileSync(join(folder, limit), String(bytes));
      return {
        prefix: ['sh', '-c', `echo $$ > ${folder}/cgroup.procs && exec "$@"`, 'sh'],
        [Symbol.dispose]: () => {
          rmdirSync(folder);
        },
      };
    } catch (error) {
      failures.push(String(error));
      rmdirSync(folder);
    }
  }
  return `no control group with a limit of memory can be made: ${failures.join('; ')}`;
}

interface Place {
  readonly parent: string;
  /** Name of the file with the limit. */
  readonly limit: string;
}

/** The control group of this process and, for v2, the root, because a group with processes cannot delegate memory. */
function places(): readonly Place[] {
  const groups = readFileSync('/proc/self/cgroup', 'utf8');
  const [, first] = /^\d+:memory:(.+)$/mu.exec(groups) ?? [];
  const v1 = { parent: join('/sys/fs/cgroup/memory', first ?? ''), limit: 'memory.limit_in_bytes' };
  return [...(first === undefined ? [] : [v1]), { parent: '/sys/fs/cgroup', limit: 'memory.max' }];
}
