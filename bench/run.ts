/**
 * Measures the cost of ftm-watch next to Debian's blackbox_exporter, on the same servers in one run: `npm run bench`.
 * See bench/README.md for the options and how to read the results.
 */
import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { measureIdle } from './daemon/idle.ts';
import { measureMemory } from './daemon/memory.ts';
import { measureMinutes } from './daemon/minute.ts';
import { measurePages } from './daemon/pages.ts';
import { measureRound } from './daemon/round.ts';
import { measureScrapes } from './daemon/scrape.ts';
import { measureStart } from './daemon/start.ts';
import { writeIntoDocument } from './document.ts';
import { describeMachine } from './machine.ts';
import { readOptions } from './options.ts';
import type { Options, Section } from './options.ts';
import { measurePlugins } from './plugins/measure.ts';
import { hasPlugins } from './plugins/plugins.ts';
import { startBlackbox } from './probes/blackbox.ts';
import { compare, measureFloor, measureIdleRequest } from './probes/compare.ts';
import type { Probers } from './probes/compare.ts';
import { FLOOR_KINDS } from './probes/kinds.ts';
import { startOwnProber } from './probes/own.ts';
import { createSite } from './probes/site.ts';
import { machineText, report } from './report.ts';
import type { Results } from './results.ts';
import { hasStack, STACK_PACKAGES } from './stack/monitors.ts';
import { measureStack } from './stack/measure.ts';

const CONCURRENCIES = [1, 8, 32];

/** Progress is not written to standard output, so that the results can be redirected. */
function tell(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function compareProbes(
  probers: Probers,
  { kinds, effort }: Options,
): Promise<Pick<Results, 'comparisons' | 'floors' | 'idleRequests'>> {
  const comparisons: Results['comparisons'][number][] = [];
  const floors: Results['floors'][number][] = [];
  const idleRequests: Results['idleRequests'][number][] = [];
  for (const concurrency of kinds.length === 0 ? [] : CONCURRENCIES) {
    for (const kind of kinds) {
      const comparison = await compare(kind, concurrency, probers, effort);
      tell(`${kind}, ${String(concurrency)} at once: ${comparison.ratio.median.toFixed(2)} of blackbox_exporter's CPU`);
      comparisons.push(comparison);
    }
    for (const kind of FLOOR_KINDS.filter((floor) => kinds.some((known) => floor === `floor-${known}`)))
      floors.push({ kind, concurrency, cost: await measureFloor(kind, concurrency, probers, effort) });
    idleRequests.push({ concurrency, cost: await measureIdleRequest(concurrency, probers, effort) });
  }
  return { comparisons, floors, idleRequests };
}

async function measure(options: Options): Promise<Results> {
  const { sections, quick, effort, roundsAtOnce, minutes, faults, memoryAfter } = options;
  const machine = describeMachine();
  await using site = await createSite();
  await using own = await startOwnProber(site);
  await using blackbox = await startBlackbox(site);
  const probes = await compareProbes({ site, own, blackbox }, options);
  if ([...sections].some((section) => section !== 'plugins')) {
    tell('Building the daemon');
    execFileSync('npm', ['run', '--silent', 'build'], {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      stdio: 'inherit',
    });
  }
  const wants = <T>(section: Section, work: () => Promise<T>): Promise<T | null> => {
    if (!sections.has(section)) return Promise.resolve(null);
    tell(`Measuring: ${section}`);
    return work();
  };
  const round = await wants('round', () => measureRound(site, blackbox, { rounds: effort.rounds, roundsAtOnce }));
  const minute = await wants('minute', () => measureMinutes(site, blackbox, minutes));
  const idle = await wants('idle', () => measureIdle(site, blackbox, minutes));
  const start = await wants('start', () => measureStart(site, quick ? 2 : 5));
  const memory = await wants('memory', () => measureMemory(site, blackbox, memoryAfter, tell));
  if (sections.has('stack') && !hasStack())
    tell(`Cannot measure the stack: expected Debian's ${STACK_PACKAGES.join(' and ')}`);
  const stack = hasStack() ? ((await wants('stack', () => measureStack(site, { minutes, faults }, tell))) ?? []) : [];
  const scrapes = (await wants('scrape', () => measureScrapes(site, blackbox, quick ? 10 : 50))) ?? [];
  const pages = (await wants('pages', () => measurePages(site, quick ? 5 : 20))) ?? [];
  if (sections.has('plugins') && !hasPlugins())
    tell("Cannot measure plugins: expected Debian's monitoring-plugins-standard and monitoring-plugins-contrib");
  const plugins = hasPlugins() ? ((await wants('plugins', () => measurePlugins({ site, own }, effort))) ?? []) : [];
  return { machine, quick, ...probes, round, minute, idle, start, memory, stack, scrapes, pages, plugins };
}

const options = readOptions(process.argv.slice(2));
const results = await measure(options);
const machine = machineText(results);
const blocks = report(results);
process.stdout.write(`${[machine, ...blocks.map(({ text }) => text)].join('\n\n')}\n`);
await mkdir(dirname(options.json), { recursive: true });
await writeFile(options.json, `${JSON.stringify(results, null, 2)}\n`);
tell(`\nThe same as JSON: ${options.json}`);
if (options.write) {
  // Sections that were measured alone say when and on which machine.
  const { isWhole } = options;
  if (isWhole) await writeIntoDocument('npm run bench', machine);
  for (const { name, text } of blocks)
    await writeIntoDocument(`npm run bench, ${name}`, isWhole ? text : `${machine}\n\n${text}`);
}
