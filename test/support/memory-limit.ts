import { accessSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What runs in it may take so much memory together, and is killed by the kernel beyond that. */
export interface MemoryLimit extends Disposable {
  /** Starts the command that follows it under the limit. */
  readonly prefix: readonly string[];
}

/** A control group of its own, in either version of Linux's; where none can be made it says why. */
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
      // The kernel makes the file; writing would make another one elsewhere.
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
  /** The file that holds the limit. */
  readonly limit: string;
}

/** Where this process is, and for version 2 the root, since a group with processes hands no memory on. */
function places(): readonly Place[] {
  const groups = readFileSync('/proc/self/cgroup', 'utf8');
  const [, first] = /^\d+:memory:(.+)$/mu.exec(groups) ?? [];
  const v1 = { parent: join('/sys/fs/cgroup/memory', first ?? ''), limit: 'memory.limit_in_bytes' };
  return [...(first === undefined ? [] : [v1]), { parent: '/sys/fs/cgroup', limit: 'memory.max' }];
}
