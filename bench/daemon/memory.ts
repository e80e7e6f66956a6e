import { setTimeout as sleep } from 'node:timers/promises';
import type { Blackbox } from '../probes/blackbox.ts';
import type { Site } from '../probes/site.ts';
import { residentMebibytes } from '../process-figures.ts';
import { startOwnDaemon } from './own-daemon.ts';

/** Resident memory of the daemon, in MiB. */
export interface Memory {
  /** Some seconds after the start, its first round behind it. */
  readonly idle: number;
  readonly after: readonly { readonly rounds: number; readonly mebibytes: number }[];
  /** blackbox_exporter's, as it is at this point of the bench. */
  readonly blackbox: number;
}

const SETTLED = 5_000;
/** What one look at a heap that comes and goes would tell depends on the moment. */
const LOOKS = 5;

/** @param milestones numbers of rounds, ascending */
export async function measureMemory(
  site: Site,
  blackbox: Blackbox,
  milestones: readonly number[],
  tell: (text: string) => void,
): Promise<Memory> {
  const idle = await idleMemory(site);
  await using daemon = await startOwnDaemon(site, true);
  const after: Memory['after'][number][] = [];
  let passed = 0;
  for (const rounds of milestones) {
    while (passed < rounds) {
      const next = Math.min(500, rounds - passed);
      await daemon.pass(next);
      passed += next;
      tell(`${String(passed)} rounds: ${residentMebibytes(daemon.pid).toFixed(1)} MiB`);
    }
    after.push({ rounds, mebibytes: await highest(daemon.pid) });
  }
  return { idle, after, blackbox: residentMebibytes(blackbox.pid) };
}

async function idleMemory(site: Site): Promise<number> {
  await using daemon = await startOwnDaemon(site, false);
  await sleep(SETTLED);
  return await highest(daemon.pid);
}

async function highest(pid: number): Promise<number> {
  let mebibytes = 0;
  for (let look = 0; look < LOOKS; look += 1) {
    mebibytes = Math.max(mebibytes, residentMebibytes(pid));
    await sleep(100);
  }
  return mebibytes;
}
