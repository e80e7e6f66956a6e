import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

import { runMilliseconds } from '../../../bench/process-figures.ts';
import { createCheckBench, type CheckBench, type Section } from './check-bench.ts';
import { startDaemonHere } from './daemon-here.ts';
import { startDaemonProcess, type DaemonOptions, type DaemonProcess } from './daemon-process.ts';

/** The daemon on loopback, with a resolver, a control host and a licence server that answers. */
export interface DaemonBench extends AsyncDisposable {
  readonly folder: string;
  readonly bench: CheckBench;
  /** Port of the licence server. */
  readonly port: number;
  /** Writes the daemon's configuration file. */
  configure(more?: Section): Promise<void>;
  /** Starts the daemon in this process. */
  start(options?: Pick<DaemonOptions, 'env'>): DaemonProcess;
  /** Starts the real program, for tests of exit codes, signals, memory and the like. */
  startProcess(options?: Pick<DaemonOptions, 'env' | 'prefix'>): DaemonProcess;
}

/** A leap day, so that only the start and triggers start a round. */
const NEVER = '0 0 0 29 2 *';

const FILE = 'ftm-watch.yaml';

const DEFAULTS: Section = { schedule: { probes: NEVER }, web: { listen: '127.0.0.1:0', localReload: true } };

export async function createDaemonBench(): Promise<DaemonBench> {
  await using stack = new AsyncDisposableStack();
  const bench = stack.use(await createCheckBench());
  const { port } = stack.use(await bench.licenseServer());
  const owned = stack.move();
  return {
    bench,
    port,
    folder: bench.folder,
    configure: async (more = {}) => {
      await copyFile(
        join(bench.folder, await bench.configure(port, { ...DEFAULTS, ...more })),
        join(bench.folder, FILE),
      );
    },
    start: (options = {}) => startDaemonHere({ cwd: bench.folder, config: FILE, ...options }),
    startProcess: (options = {}) => startDaemonProcess({ cwd: bench.folder, args: ['-c', FILE], ...options }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/**
 * Asks again and again until it is done. Returns the most CPU time in milliseconds that the daemon spent before an
 * answer. Waiting on a busy machine is not counted.
 */
export async function costliestAnswer(
  { pid }: DaemonProcess,
  ask: () => Promise<unknown>,
  isDone: () => boolean,
): Promise<number> {
  let most = 0;
  while (!isDone()) {
    const before = runMilliseconds(pid);
    await ask();
    most = Math.max(most, runMilliseconds(pid) - before);
    await setTimeout(100);
  }
  return most;
}
