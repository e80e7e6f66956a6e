import { setTimeout as sleep } from 'node:timers/promises';
import type { Build } from '../build.ts';
import { Figures } from '../figures.ts';
import { type Blackbox, sameSeries } from '../probes/blackbox.ts';
import type { Site } from '../probes/site.ts';
import { familyMemory, familyMilliseconds } from '../process-figures.ts';
import { startBareServer } from './bare-server.ts';
import { startOwnDaemons } from './own-daemon.ts';

/** One-time work after the start is done by then. */
const SETTLED = 15_000;
const ROUND_EVERY = 30_000;

/**
 * Measures minutes without faults, in real time: two rounds, and the work between them. In the same minutes,
 * blackbox_exporter is queried twice for each series that a round measures.
 */
export async function measureMinutes(
  site: Site,
  builds: readonly Build[],
  blackbox: Blackbox,
  minutes: number,
): Promise<Figures> {
  const figures = new Figures();
  await using daemons = await startOwnDaemons(site, builds, false);
  await using bare = await startBareServer();
  await sleep(SETTLED);
  const programs = [...daemons.all, bare, blackbox];
  for (let minute = 0; minute < minutes; minute += 1) {
    const before = programs.map(({ pid }) => familyMilliseconds(pid));
    for (const _ of ['first', 'second']) {
      const next = sleep(ROUND_EVERY);
      for (const probe of sameSeries(site)) await blackbox.probe(probe);
      await next;
    }
    for (const [index, { name, pid }] of programs.entries()) {
      figures.add('CPU, ms', name, familyMilliseconds(pid) - (before[index] ?? 0));
      const { resident, anonymous } = familyMemory(pid);
      figures.add('resident memory, MiB', name, resident);
      figures.add('anonymous memory, MiB', name, anonymous);
    }
  }
  return figures;
}
