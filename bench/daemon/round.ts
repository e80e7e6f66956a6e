import { type Blackbox, type BlackboxProbe, fewestProbes, sameSeries } from '../probes/blackbox.ts';
import type { Site } from '../probes/site.ts';
import { cpuMilliseconds } from '../process-figures.ts';
import { type Spread, spreadOf } from '../statistics.ts';
import { startOwnDaemon } from './own-daemon.ts';

/** CPU of one round: of the daemon, and of blackbox_exporter for the probes that observe the same. */
export interface RoundCost {
  readonly ownMs: Spread;
  /** With one probe for each series that a round measures. */
  readonly sameSeriesMs: Spread;
  /** With the fewest probes that would be sufficient. */
  readonly fewestMs: Spread;
}

/**
 * Measures everything that the daemon does for a round: observing, judging, diagnosis, metrics, incidents, page,
 * history. The programs are measured alternately, after one warm-up, so that load on the machine affects both.
 */
export async function measureRound(
  site: Site,
  blackbox: Blackbox,
  { times, rounds }: { readonly times: number; readonly rounds: number },
): Promise<RoundCost> {
  // Each second, so that the daemon's work between rounds is not counted.
  await using daemon = await startOwnDaemon(site, true, { schedule: { probes: '* * * * * *' } });
  const repeat = async (probes: readonly BlackboxProbe[]): Promise<void> => {
    for (let done = 0; done < rounds; done += 1) for (const probe of probes) await blackbox.probe(probe);
  };
  const costOf = async (pid: number, work: () => Promise<void>): Promise<number> => {
    const before = cpuMilliseconds(pid);
    await work();
    return (cpuMilliseconds(pid) - before) / rounds;
  };
  const samples: { readonly own: number; readonly same: number; readonly fewest: number }[] = [];
  for (let time = 0; time <= times; time += 1) {
    const own = await costOf(daemon.pid, () => daemon.pass(rounds));
    const same = await costOf(blackbox.pid, () => repeat(sameSeries(site)));
    const fewest = await costOf(blackbox.pid, () => repeat(fewestProbes(site)));
    if (time > 0) samples.push({ own, same, fewest });
  }
  return {
    ownMs: spreadOf(samples.map(({ own }) => own)),
    sameSeriesMs: spreadOf(samples.map(({ same }) => same)),
    fewestMs: spreadOf(samples.map(({ fewest }) => fewest)),
  };
}
