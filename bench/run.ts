/**
 * Measures the cost of ftm-watch next to Debian's blackbox_exporter and to other builds, on the same servers in one
 * run: `npm run bench`. See bench/README.md for the options and how to read the results.
 */
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { buildIn, CHECKOUT } from './build.ts';
import { measureMemory } from './daemon/memory.ts';
import { measureMinutes } from './daemon/minute.ts';
import { measureRound } from './daemon/round.ts';
import { measureStart } from './daemon/start.ts';
import { describeMachine } from './machine.ts';
import { startBlackbox } from './probes/blackbox.ts';
import { createSite } from './probes/site.ts';

const { values, positionals } = parseArgs({
  options: { only: { type: 'string' }, quick: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const { only, quick } = values;

const NAMES = ['round', 'minute', 'start', 'memory'] as const;
const wanted = NAMES.filter((name) => only === undefined || only.split(',').includes(name));
const unknown = only?.split(',').find((name) => !NAMES.some((known) => known === name));
if (unknown !== undefined)
  throw new Error(
    `Cannot measure "${unknown}": expected npm run bench -- [CHECKOUT…] [--only ${NAMES.join(',')}] [--quick]`,
  );

/** Progress is not written to standard output, so that the results can be redirected. */
function tell(text: string): void {
  process.stderr.write(`${text}\n`);
}

const builds = [...positionals.map((checkout) => buildIn(checkout)), buildIn(CHECKOUT, 'ftm-watch')];
const times = quick ? 2 : 5;
await using site = await createSite();
await using blackbox = await startBlackbox(site);

const SECTIONS: Readonly<Record<(typeof NAMES)[number], () => Promise<readonly string[]>>> = {
  round: async () =>
    (await measureRound(site, builds, blackbox, times, quick ? 20 : 150)).table('A round every second'),
  minute: async () =>
    (await measureMinutes(site, builds, blackbox, quick ? 1 : 5)).table('A minute with a round every 30 s'),
  start: async () => (await measureStart(site, builds, times)).table('Start and commands'),
  memory: async () =>
    (await measureMemory(site, builds, quick ? 1 : 5, quick ? [100, 1_000] : [100, 1_000, 10_000], tell)).table(
      'Rounds every 30 s, with leaps in time',
    ),
};

process.stdout.write(`${describeMachine()}\n`);
tell('Building the daemon');
execFileSync('npm', ['run', '--silent', 'build'], { cwd: CHECKOUT });
for (const name of wanted) {
  tell(`Measuring: ${name}`);
  process.stdout.write(`\n${(await SECTIONS[name]()).join('\n')}\n`);
}
