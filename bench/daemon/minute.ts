import { setTimeout as sleep } from 'node:timers/promises';
import { type Blackbox, sameSeries } from '../probes/blackbox.ts';
import type { Site } from '../probes/site.ts';
import { familyMilliseconds } from '../process-figures.ts';
import { spreadOf } from '../statistics.ts';
import type { Spread } from '../statistics.ts';
import { startBareServer } from './bare-server.ts';
import { startOwnDaemon } from './own-daemon.ts';

/** CPU of a minute without faults, in real time: two rounds, and the work between them. */
export interface MinuteCost {
  readonly ownMs: Spread;
  /** CPU of an idle HTTP server in Node. */
  readonly bareMs: Spread;
  /** CPU of blackbox_exporter with a probe for each series that a round measures, twice. */
  readonly blackboxMs: Spread;
}

/** One-time work after the start is done by then. */
const SETTLED = 15_000;
const ROUND_EVERY = 30_000;

/** Measures all three during the same minutes. */
export async function measureMinutes(site: Site, blackbox: Blackbox, minutes: number): Promise<MinuteCost> {
  await using daemon = await startOwnDaemon(site, false);
  await using bare = await startBareServer();
  await sleep(SETTLED);
  const pids = [daemon.pid, bare.pid, blackbox.pid];
  const samples: number[][] = [];
  for (let minute = 0; minute < minutes; minute += 1) {
    const before = pids.map(familyMilliseconds);
    for (const _ of ['first', 'second']) {
      const next = sleep(ROUND_EVERY);
      for (const probe of sameSeries(site)) await blackbox.probe(probe);
      await next;
    }
    samples.push(pids.map((pid, index) => familyMilliseconds(pid) - (before[index] ?? 0)));
  }
  const [ownMs, bareMs, blackboxMs] = [0, 1, 2].map((index) => spreadOf(samples.map((sample) => sample[index] ?? 0)));
  if (ownMs === undefined || bareMs === undefined || blackboxMs === undefined) throw new Error('Measured no minute');
  return { ownMs, bareMs, blackboxMs };
}
