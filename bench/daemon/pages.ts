import { join } from 'node:path';
import { systemClock } from '../../src/system/clock.ts';
import { CHART_RANGES } from '../../src/web/sources.ts';
import { LICENSE_HOST } from '../../src/demo/lab/site.ts';
import { logRecorder } from '../../test/support/process/log-recorder.ts';
import { writeLongHistory } from '../../test/support/store/long-history.ts';
import type { Site } from '../probes/site.ts';
import { cpuMilliseconds } from '../process-figures.ts';
import { spreadOf, type Spread } from '../statistics.ts';
import { startOwnDaemon } from './own-daemon.ts';

/** Cost of one page that is read with 90 days of history in the store. */
export interface PageCost {
  readonly page: string;
  readonly kilobytes: number;
  readonly wallMs: Spread;
  readonly cpuMs: number;
}

const DAYS = 90;

const PAGES: readonly string[] = [
  ...CHART_RANGES.map((range) => `?range=${range}`),
  'incidents',
  'runbooks/tls-intercepted',
];

export async function measurePages(site: Site, times: number): Promise<readonly PageCost[]> {
  const path = join(site.folder, 'data', 'long-history.sqlite');
  const target = `${LICENSE_HOST}:${String(site.ports.ecdsa)}`;
  const resolver = `udp://127.0.0.1:${String(site.ports.dns)}`;
  const history = { path, now: systemClock.now(), days: DAYS, target, resolver, appliance: 'fac-1' };
  writeLongHistory(history, { clock: systemClock, logger: logRecorder() });
  await using daemon = await startOwnDaemon(site, true, { store: { path, retention: `${String(DAYS + 1)}d` } });
  const costs: PageCost[] = [];
  for (const page of PAGES) costs.push(await costOf(page, daemon, times));
  return costs;
}

async function costOf(
  page: string,
  daemon: Awaited<ReturnType<typeof startOwnDaemon>>,
  times: number,
): Promise<PageCost> {
  const wall: number[] = [];
  let cpuMs = 0;
  let bytes = 0;
  for (let time = 0; time < times; time += 1) {
    // The data for the charts is cached for less than a round.
    await daemon.pass(1);
    const [before, start] = [cpuMilliseconds(daemon.pid), performance.now()];
    const response = await fetch(`${daemon.url}${page}`, { headers: { 'accept-encoding': 'identity' } });
    bytes = (await response.arrayBuffer()).byteLength;
    wall.push(performance.now() - start);
    cpuMs += cpuMilliseconds(daemon.pid) - before;
  }
  return { page: `/${page}`, kilobytes: Math.round(bytes / 1000), wallMs: spreadOf(wall), cpuMs: cpuMs / times };
}
