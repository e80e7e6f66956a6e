import { PROBE_TITLES } from './probes/kinds.ts';
import type { FloorKind } from './probes/kinds.ts';
import type { Comparison } from './probes/compare.ts';
import { table } from './markdown-table.ts';
import type { ProcessMemory } from './process-figures.ts';
import type { Section } from './options.ts';
import { pluginRows } from './plugins/report.ts';
import type { Results } from './results.ts';
import { stackLines } from './stack/report.ts';
import { formatSpread } from './statistics.ts';

/** One part of the results. */
interface Block {
  /** Its place in bench/results.md. */
  readonly name: Section | 'probes';
  readonly text: string;
}

/**
 * Returns the parts that were measured, as Markdown. Ratios come first, because milliseconds depend on this machine.
 */
export function report(results: Results): readonly Block[] {
  const blocks: readonly (readonly [Block['name'], readonly (readonly string[])[]])[] = [
    ['round', [roundLines(results)]],
    ['probes', [probeLines(results), floorLines(results), idleRequestLines(results)]],
    ['minute', [minuteLines(results)]],
    ['idle', [idleLines(results)]],
    ['start', [startLines(results)]],
    ['memory', [memoryLines(results)]],
    ['stack', [stackLines(results.stack)]],
    ['scrape', [scrapeLines(results)]],
    ['pages', [pageLines(results)]],
    ['plugins', [pluginLines(results)]],
  ];
  return blocks.flatMap(([name, tables]) => {
    const filled = tables.filter((lines) => lines.length > 0);
    return filled.length === 0 ? [] : [{ name, text: filled.map((lines) => lines.join('\n')).join('\n\n') }];
  });
}

/** Returns what the results were measured with. */
export function machineText({ machine, quick }: Results): string {
  const { at, processor, cores, memoryGigabytes, system, node, openssl, blackbox, loadBefore } = machine;
  return [
    `Measured on ${at}${quick ? ' (quick: too short for more than a first impression)' : ''}: ${processor}, ` +
      `${String(cores)} cores, ` +
      `${String(memoryGigabytes)} GB, ${system}; load before ${loadBefore.toFixed(1)}.`,
    `ftm-watch on Node ${node} (OpenSSL ${openssl}) against blackbox_exporter ${blackbox}, as Debian packages it.`,
  ].join('\n');
}

function roundLines({ round }: Results): readonly string[] {
  if (round === null) return [];
  return table(
    ['A whole round against', 'ratio of CPU', 'ftm-watch, ms', 'blackbox_exporter, ms'],
    [
      [
        'a probe for each series that the round measures (15)',
        `**${formatSpread(round.ratioToSameSeries, 2)}**`,
        formatSpread(round.ownMs, 2),
        formatSpread(round.sameSeriesMs, 2),
      ],
      [
        'the fewest probes that one would get by with (6)',
        `**${formatSpread(round.ratioToFewest, 2)}**`,
        formatSpread(round.ownMs, 2),
        formatSpread(round.fewestMs, 2),
      ],
    ],
  );
}

function probeLines({ comparisons }: Results): readonly string[] {
  return table(
    ['Probe', 'at once', 'ratio of CPU', 'ftm-watch, ms', 'blackbox_exporter, ms', 'probes a second'],
    comparisons.map(({ kind, concurrency, ratio, own, blackbox }) => [
      PROBE_TITLES[kind],
      String(concurrency),
      `**${formatSpread(ratio, 2)}**`,
      formatSpread(own.cpuMs, 3),
      formatSpread(blackbox.cpuMs, 3),
      `${own.aSecond.median.toFixed(0)} / ${blackbox.aSecond.median.toFixed(0)}`,
    ]),
  );
}

function floorLines({ floors, comparisons }: Results): readonly string[] {
  return table(
    ['What Node itself costs', 'at once', 'ms', 'our probe over it'],
    floors.map(({ kind, concurrency, cost }) => {
      const probe = probeOver(kind, concurrency, comparisons);
      const over = probe === undefined ? '' : `+${(probe.own.cpuMs.median - cost.cpuMs.median).toFixed(3)} ms`;
      return [PROBE_TITLES[kind], String(concurrency), formatSpread(cost.cpuMs, 3), over];
    }),
  );
}

function probeOver(floor: FloorKind, concurrency: number, comparisons: readonly Comparison[]): Comparison | undefined {
  return comparisons.find(
    (comparison) => `floor-${comparison.kind}` === floor && comparison.concurrency === concurrency,
  );
}

function idleRequestLines({ idleRequests }: Results): readonly string[] {
  if (idleRequests.length === 0) return [];
  const costs = idleRequests.map(
    ({ concurrency, cost }) => `${formatSpread(cost.cpuMs, 3)} ms with ${String(concurrency)} at once`,
  );
  return ["Of blackbox_exporter's figures an HTTP request that probes nothing takes", `${costs.join(',\n')}.`];
}

/** Heads of the columns with the same three processes. */
const PROCESSES = ['ftm-watch', 'a bare HTTP server in Node', 'blackbox_exporter'] as const;

function minuteLines({ minute }: Results): readonly string[] {
  if (minute === null) return [];
  const spreads = [minute.ownMs, minute.bareMs, minute.blackboxMs].map((spread) => formatSpread(spread, 1));
  return table(['A minute with a round every 30 s', ...PROCESSES], [['CPU, ms', ...spreads]]);
}

function idleLines({ idle }: Results): readonly string[] {
  if (idle === null) return [];
  const minutes = [idle.own, idle.bare, idle.blackbox];
  return table(
    ['A minute between rounds', ...PROCESSES],
    [
      ['CPU, ms', ...minutes.map(({ cpuMs }) => formatSpread(cpuMs, 1))],
      ['wake-ups of all threads', ...minutes.map(({ wakeUps }) => formatSpread(wakeUps, 0))],
      ['context switches of all threads', ...minutes.map(({ switches }) => formatSpread(switches, 0))],
    ],
  );
}

function startLines({ start }: Results): readonly string[] {
  if (start === null) return [];
  const spreads = [start.ownMs, start.bareMs, start.blackboxMs].map((spread) => formatSpread(spread, 0));
  return table(
    ['Start', ...PROCESSES],
    [
      ['start to the first answer of /metrics, ms', ...spreads],
      ['`check --json` on a path without a fault, CPU, ms', formatSpread(start.checkCpuMs, 0), '', ''],
    ],
  );
}

function memoryLines({ memory }: Results): readonly string[] {
  if (memory === null) return [];
  const { idle, after, bare, blackbox } = memory;
  return table(
    ['Memory', ...PROCESSES],
    [
      ...memoryRows('idle', [idle, bare, blackbox]),
      ...after.flatMap(({ rounds, memory: own }) =>
        memoryRows(`after ${String(rounds)} rounds`, [own, bare, blackbox]),
      ),
    ],
  );
}

function memoryRows(when: string, memories: readonly ProcessMemory[]): readonly string[][] {
  return [
    [`resident memory, ${when}, MiB`, ...memories.map(({ resident }) => resident.toFixed(1))],
    [`of it anonymous, ${when}, MiB`, ...memories.map(({ anonymous }) => anonymous.toFixed(1))],
  ];
}

function scrapeLines({ scrapes }: Results): readonly string[] {
  return table(
    ['Scrape of /metrics', 'series', 'KB', 'ms', 'CPU, ms'],
    scrapes.map(({ who, series, kilobytes, wallMs, cpuMs }) => [
      who,
      String(series),
      String(kilobytes),
      formatSpread(wallMs, 2),
      cpuMs.toFixed(2),
    ]),
  );
}

function pageLines({ pages }: Results): readonly string[] {
  return table(
    ['A page with 90 days of history', 'KB', 'ms', 'CPU, ms'],
    pages.map(({ page, kilobytes, wallMs, cpuMs }) => [
      page,
      String(kilobytes),
      formatSpread(wallMs, 1),
      cpuMs.toFixed(1),
    ]),
  );
}

function pluginLines({ plugins, round }: Results): readonly string[] {
  return table(
    ['A plugin of Nagios, a process each', 'CPU, ms', 'our probe', 'its CPU, ms', 'ratio'],
    pluginRows(plugins, round),
  );
}
