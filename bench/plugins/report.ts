import { PROBE_TITLES } from '../probes/kinds.ts';
import type { RoundCost } from '../daemon/round.ts';
import type { Spread } from '../statistics.ts';
import { formatSpread } from '../statistics.ts';
import type { PluginCost } from './measure.ts';

/** Returns Markdown rows with the cost of each plugin next to ours. */
export function pluginRows(
  plugins: readonly PluginCost[],
  round: RoundCost | null,
): readonly (readonly [plugin: string, cpu: string, own: string, ownCpu: string, ratio: string])[] {
  const rows = plugins.map(
    ({ title, cpuMs, own }) =>
      [
        title,
        formatSpread(cpuMs, 1),
        own?.title ?? '',
        own === null ? '' : formatSpread(own.cpuMs, 2),
        own === null ? '' : `**1 : ${(1 / own.ratio.median).toFixed(0)}**`,
      ] as const,
  );
  if (round === null || plugins.length === 0) return rows;
  const all = sumOf(plugins.filter(({ own }) => own?.title !== PROBE_TITLES.mail).map(({ cpuMs }) => cpuMs));
  return [
    ...rows,
    [
      'all of them but check_smtp, once each',
      formatSpread(all, 1),
      'a whole round',
      formatSpread(round.ownMs, 2),
      `**1 : ${(all.median / round.ownMs.median).toFixed(0)}**`,
    ],
  ];
}

function sumOf(spreads: readonly Spread[]): Spread {
  const sum = (of: (spread: Spread) => number): number => spreads.reduce((total, spread) => total + of(spread), 0);
  return { median: sum(({ median }) => median), min: sum(({ min }) => min), max: sum(({ max }) => max) };
}
