import type { Blackbox } from '../probes/blackbox.ts';
import type { Site } from '../probes/site.ts';
import { cpuMilliseconds } from '../process-figures.ts';
import { spreadOf } from '../statistics.ts';
import type { Spread } from '../statistics.ts';
import { startOwnDaemon } from './own-daemon.ts';

/** Cost of one response to `/metrics`. */
export interface ScrapeCost {
  readonly who: string;
  readonly series: number;
  readonly kilobytes: number;
  readonly wallMs: Spread;
  readonly cpuMs: number;
}

/** Measures our metrics with one target and with many, and those of blackbox_exporter, which are only about itself. */
export async function measureScrapes(site: Site, blackbox: Blackbox, times: number): Promise<readonly ScrapeCost[]> {
  const costs: ScrapeCost[] = [];
  for (const targets of [1, 200]) {
    const services = Array.from({ length: targets - 1 }, (_, index) => ({
      name: `service-${String(index)}`,
      host: `service-${String(index)}.example.test`,
      port: site.ports.ecdsa,
      severity: 'info',
    }));
    await using daemon = await startOwnDaemon(site, true, { controlHosts: [], services });
    await daemon.pass(1);
    costs.push(await scrape(`ftm-watch, ${String(targets)} ${targets === 1 ? 'target' : 'targets'}`, daemon, times));
  }
  costs.push(await scrape('blackbox_exporter, itself', { pid: blackbox.pid, url: `${blackbox.url}/` }, times));
  return costs;
}

async function scrape(
  who: string,
  { pid, url }: { readonly pid: number; readonly url: string },
  times: number,
): Promise<ScrapeCost> {
  const wall: number[] = [];
  let text = await read(`${url}metrics`);
  const before = cpuMilliseconds(pid);
  for (let time = 0; time < times; time += 1) {
    const start = performance.now();
    text = await read(`${url}metrics`);
    wall.push(performance.now() - start);
  }
  return {
    who,
    series: text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length,
    kilobytes: Math.round(text.length / 1000),
    wallMs: spreadOf(wall),
    cpuMs: (cpuMilliseconds(pid) - before) / times,
  };
}

async function read(url: string): Promise<string> {
  return (await fetch(url)).text();
}
