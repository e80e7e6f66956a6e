import { setTimeout as sleep } from 'node:timers/promises';
import type { Build } from '../build.ts';
import { Figures } from '../figures.ts';
import type { Site } from '../probes/site.ts';
import { cpuMilliseconds, familyMemory, type ProcessMemory } from '../process-figures.ts';
import { type OwnDaemon, startOwnDaemons } from './own-daemon.ts';

/** V8 keeps the memory that it freed during the start for 8 s. */
const SETTLED = 10_000;
/** The heap grows and shrinks, so the result of a single sample would depend on the moment. */
const LOOKS = 5;
/** So few that all daemons have the same number of rounds at any time, and the same load beside them. */
const AT_A_TIME = 50;

/** @param milestones numbers of rounds, in ascending order */
export async function measureMemory(
  site: Site,
  builds: readonly Build[],
  runs: number,
  milestones: readonly number[],
  tell: (text: string) => void,
): Promise<Figures> {
  const figures = new Figures();
  async function look({ name, pid }: OwnDaemon, rounds: number): Promise<void> {
    const { resident, anonymous } = await highestMemory(pid);
    figures.add(`resident memory after ${String(rounds)} rounds, MiB`, name, resident);
    figures.add(`anonymous memory after ${String(rounds)} rounds, MiB`, name, anonymous);
    tell(`${name} after ${String(rounds)} rounds: ${resident.toFixed(1)} MiB, ${anonymous.toFixed(1)} anonymous`);
  }
  for (let run = 0; run < runs; run += 1) {
    await using daemons = await startOwnDaemons(site, builds, true);
    await sleep(SETTLED);
    for (const daemon of daemons.all) await look(daemon, 0);
    let passed = 0;
    for (const rounds of milestones) {
      const costs = await passTogether(daemons.all, rounds - passed);
      passed = rounds;
      for (const { daemon, cost } of costs) {
        await look(daemon, rounds);
        figures.add(`CPU per round until round ${String(rounds)}, ms`, daemon.name, cost);
      }
    }
  }
  return figures;
}

/** Lets rounds run in all daemons at once. Returns the CPU time of one round of each. */
async function passTogether(
  daemons: readonly OwnDaemon[],
  rounds: number,
): Promise<readonly { readonly daemon: OwnDaemon; readonly cost: number }[]> {
  const before = daemons.map(({ pid }) => cpuMilliseconds(pid));
  for (let left = rounds; left > 0; left -= AT_A_TIME)
    await Promise.all(daemons.map((daemon) => daemon.pass(Math.min(left, AT_A_TIME))));
  return daemons.map((daemon, index) => ({
    daemon,
    cost: (cpuMilliseconds(daemon.pid) - (before[index] ?? 0)) / rounds,
  }));
}

/** Returns the highest memory of several samples. */
export async function highestMemory(pid: number): Promise<ProcessMemory> {
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
