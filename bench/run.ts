/**
 * Measures the cost of ftm-watch next to Debian's blackbox_exporter, on the same servers in one run: `npm run bench`.
 * See bench/README.md for the options and how to read the results.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { measureMemory } from './daemon/memory.ts';
import { measureMinutes } from './daemon/minute.ts';
import { measureRound } from './daemon/round.ts';
import { measureStart } from './daemon/start.ts';
import { describeMachine } from './machine.ts';
import { table } from './markdown-table.ts';
import { startBlackbox } from './probes/blackbox.ts';
import { createSite } from './probes/site.ts';
import type { ProcessMemory } from './process-figures.ts';
import { formatSpread, type Spread } from './statistics.ts';

const PROCESSES = ['ftm-watch', 'an idle HTTP server in Node', 'blackbox_exporter'];

const { values } = parseArgs({ options: { only: { type: 'string' }, quick: { type: 'boolean', default: false } } });
const { only, quick } = values;

const NAMES = ['round', 'minute', 'start', 'memory'] as const;
const wanted = NAMES.filter((name) => only === undefined || only.split(',').includes(name));
const unknown = only?.split(',').find((name) => !NAMES.some((known) => known === name));
if (unknown !== undefined)
  throw new Error(`Cannot measure "${unknown}": expected npm run bench -- [--only ${NAMES.join(',')}] [--quick]`);

/** Progress is not written to standard output, so that the results can be redirected. */
function tell(text: string): void {
  process.stderr.write(`${text}\n`);
}

function spreads(all: readonly Spread[], digits: number): readonly string[] {
  return all.map((spread) => formatSpread(spread, digits));
}

function memoryRows(when: string, memories: readonly ProcessMemory[]): readonly (readonly string[])[] {
  return [
    [`resident memory, ${when}, MiB`, ...memories.map(({ resident }) => resident.toFixed(1))],
    [`of it anonymous, ${when}, MiB`, ...memories.map(({ anonymous }) => anonymous.toFixed(1))],
  ];
}

await using site = await createSite();
await using blackbox = await startBlackbox(site);

const SECTIONS: Readonly<Record<(typeof NAMES)[number], () => Promise<readonly string[]>>> = {
  round: async () => {
    const { ownMs, sameSeriesMs, fewestMs } = await measureRound(site, blackbox, {
      times: quick ? 2 : 5,
      rounds: quick ? 20 : 150,
    });
    return table(
      ['A whole round', 'ftm-watch', 'blackbox_exporter, the same series', 'its fewest probes'],
      [['CPU, ms', ...spreads([ownMs, sameSeriesMs, fewestMs], 1)]],
    );
  },
  minute: async () => {
    const { ownMs, bareMs, blackboxMs } = await measureMinutes(site, blackbox, quick ? 1 : 5);
    const costs = spreads([ownMs, bareMs, blackboxMs], 1);
    return table(['A minute with a round every 30 s', ...PROCESSES], [['CPU, ms', ...costs]]);
  },
  start: async () => {
    const { ownMs, bareMs, blackboxMs, checkCpuMs } = await measureStart(site, quick ? 2 : 5);
    return table(
      ['Start', ...PROCESSES],
      [
        ['start to the first answer of /metrics, ms', ...spreads([ownMs, bareMs, blackboxMs], 0)],
        ['`check --json` on a path without a fault, CPU, ms', formatSpread(checkCpuMs, 0), '', ''],
      ],
    );
  },
  memory: async () => {
    const {
      idle,
      after,
      bare,
      blackbox: other,
    } = await measureMemory(site, blackbox, quick ? [100, 300] : [1_000, 10_000], tell);
    return table(
      ['Memory', ...PROCESSES],
      [
        ...memoryRows('idle', [idle, bare, other]),
        ...after.flatMap(({ rounds, memory }) => memoryRows(`after ${String(rounds)} rounds`, [memory, bare, other])),
      ],
    );
  },
};

process.stdout.write(`${describeMachine()}\n`);
tell('Building the daemon');
execFileSync('npm', ['run', '--silent', 'build'], { cwd: fileURLToPath(new URL('..', import.meta.url)) });
for (const name of wanted) {
  tell(`Measuring: ${name}`);
  process.stdout.write(`\n${(await SECTIONS[name]()).join('\n')}\n`);
}
