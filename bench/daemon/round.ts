import type { Build } from '../build.ts';
import { Figures } from '../figures.ts';
import { type Blackbox, type BlackboxProbe, fewestProbes, sameSeries } from '../probes/blackbox.ts';
import type { Site } from '../probes/site.ts';
import { cpuMilliseconds } from '../process-figures.ts';
import { startOwnDaemons } from './own-daemon.ts';

/**
 * Measures everything that the daemon does for a round: observing, judging, diagnosis, metrics, incidents, page,
 * history. The programs are measured alternately, after one warm-up, so that load on the machine affects all.
 */
export async function measureRound(
  site: Site,
  builds: readonly Build[],
  blackbox: Blackbox,
  times: number,
  rounds: number,
): Promise<Figures> {
  // Each second, so that the daemon's work between rounds is not counted.
  await using daemons = await startOwnDaemons(site, builds, true, { schedule: { probes: '* * * * * *' } });
  const repeat = async (probes: readonly BlackboxProbe[]): Promise<void> => {
    for (let done = 0; done < rounds; done += 1) for (const probe of probes) await blackbox.probe(probe);
  };
  const programs = [
    ...daemons.all.map((daemon) => ({ ...daemon, work: () => daemon.pass(rounds) })),
    { ...blackbox, name: `${blackbox.name}, the same series`, work: () => repeat(sameSeries(site)) },
    { ...blackbox, name: `${blackbox.name}, its fewest probes`, work: () => repeat(fewestProbes(site)) },
  ];
  const figures = new Figures();
  for (let time = 0; time <= times; time += 1)
    for (const { name, pid, work } of programs) {
      const before = cpuMilliseconds(pid);
      await work();
      if (time > 0) figures.add('CPU, ms', name, (cpuMilliseconds(pid) - before) / rounds);
    }
  return figures;
}
