import { startBlackbox } from '../probes/blackbox.ts';
import type { Site } from '../probes/site.ts';
import { spreadOf } from '../statistics.ts';
import type { Spread } from '../statistics.ts';
import { startOwnDaemon } from './own-daemon.ts';

/** From the start of the process to the first answer of `/metrics`, in milliseconds. */
export interface StartUp {
  readonly ownMs: Spread;
  readonly blackboxMs: Spread;
}

export async function measureStart(site: Site, times: number): Promise<StartUp> {
  const own: number[] = [];
  const blackbox: number[] = [];
  for (let time = 0; time < times; time += 1) {
    await using daemon = await startOwnDaemon(site, false);
    own.push(daemon.startedAfterMs);
    await using exporter = await startBlackbox(site);
    blackbox.push(exporter.startedAfterMs);
  }
  return { ownMs: spreadOf(own), blackboxMs: spreadOf(blackbox) };
}
