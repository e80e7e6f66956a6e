import { PROBE_TITLES } from '../probes/kinds.ts';
import type { Effort, Probers } from '../probes/compare.ts';
import { childrenCpuMilliseconds, cpuMilliseconds } from '../process-figures.ts';
import { spreadOf } from '../statistics.ts';
import type { Spread } from '../statistics.ts';
import { type Plugin, pluginsFor, runPlugin, servePlugins } from './plugins.ts';

/**
 * CPU of one run of a plugin, including all processes that it starts, next to our probe that checks the same or more.
 */
export interface PluginCost {
  readonly title: string;
  readonly cpuMs: Spread;
  /** null if it corresponds only to a part of a round. */
  readonly own: { readonly title: string; readonly cpuMs: Spread; readonly ratio: Spread } | null;
}

/** Short programs vary little. One of them takes a second, so more runs would take long. */
const RUNS_AT_LEAST = 3;

export async function measurePlugins(
  { site, own }: Pick<Probers, 'site' | 'own'>,
  effort: Effort,
): Promise<readonly PluginCost[]> {
  await using _ = await servePlugins();
  const costs: PluginCost[] = [];
  for (const plugin of pluginsFor(site)) {
    const samples: { readonly plugin: number; readonly own: number | null }[] = [];
    for (let round = 0; round <= effort.rounds; round += 1) {
      const sample = { plugin: await costOf(plugin, effort), own: await ownCost(plugin.kind, own, effort) };
      if (round > 0) samples.push(sample);
    }
    costs.push(summary(plugin, samples));
  }
  return costs;
}

async function costOf(plugin: Plugin, { milliseconds }: Effort): Promise<number> {
  const before = childrenCpuMilliseconds(process.pid);
  const end = performance.now() + milliseconds;
  let runs = 0;
  for (; runs < RUNS_AT_LEAST || performance.now() < end; runs += 1) await runPlugin(plugin);
  return (childrenCpuMilliseconds(process.pid) - before) / runs;
}

async function ownCost(kind: Plugin['kind'], own: Probers['own'], { milliseconds }: Effort): Promise<number | null> {
  if (kind === null) return null;
  const before = cpuMilliseconds(own.pid);
  const probes = await own.load({ kind, concurrency: 1, milliseconds });
  return (cpuMilliseconds(own.pid) - before) / probes;
}

function summary(
  { title, kind }: Plugin,
  samples: readonly { readonly plugin: number; readonly own: number | null }[],
): PluginCost {
  const pairs = samples.flatMap(({ plugin, own }) => (own === null ? [] : [{ plugin, own }]));
  return {
    title,
    cpuMs: spreadOf(samples.map(({ plugin }) => plugin)),
    own:
      kind === null
        ? null
        : {
            title: PROBE_TITLES[kind],
            cpuMs: spreadOf(pairs.map(({ own }) => own)),
            ratio: spreadOf(pairs.map(({ plugin, own }) => own / plugin)),
          },
  };
}
