import { setTimeout as sleep } from 'node:timers/promises';
import type { Blackbox } from '../probes/blackbox.ts';
import type { Site } from '../probes/site.ts';
import { familyMilliseconds, familySwitches } from '../process-figures.ts';
import { spreadOf } from '../statistics.ts';
import type { Spread } from '../statistics.ts';
import { startBareServer } from './bare-server.ts';
import { startOwnDaemon } from './own-daemon.ts';

/** Cost of a minute in which a process has nothing to do, of all its threads and of the processes that it started. */
export interface IdleMinute {
  readonly cpuMs: Spread;
  readonly wakeUps: Spread;
  /** Including those by which other processes interrupted it. */
  readonly switches: Spread;
}

export interface IdleCost {
  readonly own: IdleMinute;
  readonly bare: IdleMinute;
  readonly blackbox: IdleMinute;
}

/** V8 collects garbage for a while after the first round. */
const SETTLED = 45_000;
const MINUTE = 60_000;
/** A leap day, so that there is only the round at the start. */
const NEVER = '0 0 0 29 2 *';

/** Measures all three during the same minutes. */
export async function measureIdle(site: Site, blackbox: Blackbox, minutes: number): Promise<IdleCost> {
  await using daemon = await startOwnDaemon(site, false, { schedule: { probes: NEVER } });
  await using bare = await startBareServer();
  await sleep(SETTLED);
  const watched = [daemon, bare, blackbox].map(({ pid }) => createMeter(pid));
  for (let minute = 0; minute < minutes; minute += 1) {
    await sleep(MINUTE);
    for (const meter of watched) meter.note();
  }
  const [own, idleServer, exporter] = watched.map((meter) => meter.result());
  if (own === undefined || idleServer === undefined || exporter === undefined) throw new Error('Measured no minute');
  return { own, bare: idleServer, blackbox: exporter };
}

interface Meter {
  /** Ends a minute. */
  note(): void;
  result(): IdleMinute;
}

function createMeter(pid: number): Meter {
  const read = (): Readonly<Record<keyof IdleMinute, number>> => {
    const { voluntary, involuntary } = familySwitches(pid);
    return { cpuMs: familyMilliseconds(pid), wakeUps: voluntary, switches: voluntary + involuntary };
  };
  const minutes: ReturnType<typeof read>[] = [];
  let before = read();
  return {
    note: () => {
      const now = read();
      minutes.push({
        cpuMs: now.cpuMs - before.cpuMs,
        wakeUps: now.wakeUps - before.wakeUps,
        switches: now.switches - before.switches,
      });
      before = now;
    },
    result: () => ({
      cpuMs: spreadOf(minutes.map(({ cpuMs }) => cpuMs)),
      wakeUps: spreadOf(minutes.map(({ wakeUps }) => wakeUps)),
      switches: spreadOf(minutes.map(({ switches }) => switches)),
    }),
  };
}
