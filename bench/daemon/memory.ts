import { setTimeout as sleep } from 'node:timers/promises';
import type { Blackbox } from '../probes/blackbox.ts';
import type { Site } from '../probes/site.ts';
import { familyMemory } from '../process-figures.ts';
import type { ProcessMemory } from '../process-figures.ts';
import { startBareServer } from './bare-server.ts';
import { startOwnDaemon } from './own-daemon.ts';

export interface Memory {
  /** Memory of the daemon some seconds after the start, after its first round. */
  readonly idle: ProcessMemory;
  readonly after: readonly { readonly rounds: number; readonly memory: ProcessMemory }[];
  /** An idle HTTP server in Node. */
  readonly bare: ProcessMemory;
  /** Memory of blackbox_exporter at this point of the bench. */
  readonly blackbox: ProcessMemory;
}

const SETTLED = 5_000;
/** The heap grows and shrinks, so the result of a single sample would depend on the moment. */
const LOOKS = 5;

/** @param milestones numbers of rounds, in ascending order */
export async function measureMemory(
  site: Site,
  blackbox: Blackbox,
  milestones: readonly number[],
  tell: (text: string) => void,
): Promise<Memory> {
  const idle = await idleMemory(startOwnDaemon(site, false));
  const bare = await idleMemory(startBareServer());
  await using daemon = await startOwnDaemon(site, true);
  const after: Memory['after'][number][] = [];
  let passed = 0;
  for (const rounds of milestones) {
    while (passed < rounds) {
      const next = Math.min(500, rounds - passed);
      await daemon.pass(next);
      passed += next;
      tell(`${String(passed)} rounds: ${familyMemory(daemon.pid).resident.toFixed(1)} MiB`);
    }
    after.push({ rounds, memory: await highest(daemon.pid) });
  }
  return { idle, after, bare, blackbox: familyMemory(blackbox.pid) };
}

async function idleMemory(starting: Promise<AsyncDisposable & { readonly pid: number }>): Promise<ProcessMemory> {
  await using started = await starting;
  await sleep(SETTLED);
  return await highest(started.pid);
}

async function highest(pid: number): Promise<ProcessMemory> {
  let memory = familyMemory(pid);
  for (let look = 1; look < LOOKS; look += 1) {
    await sleep(100);
    const next = familyMemory(pid);
    memory = {
      resident: Math.max(memory.resident, next.resident),
      anonymous: Math.max(memory.anonymous, next.anonymous),
    };
  }
  return memory;
}
