/**
 * Measures one daemon with 1 to 200 targets and appliances: the cost of a round, its memory, its page and its
 * metrics. The daemon is the real one, in a separate network.
 *
 *   npm run bench:scale [-- --quick] [-- --size 100x10]… [-- --write] [-- --json FILE]
 *
 * `--quick` measures three sizes, `--size` one with that many targets and appliances; `--write` puts the tables into
 * bench/results.md.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeConfiguration } from './configuration.ts';
import type { Size } from './configuration.ts';
import { measure, measureLines } from './measure.ts';
import type { LogLines, Measured, MeasuredSize } from './measure.ts';
import { enterNetwork } from './network.ts';
import { reportOf, writeReport } from './report.ts';
import type { Site } from './site.ts';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean' },
    write: { type: 'boolean' },
    json: { type: 'string' },
    size: { type: 'string', multiple: true },
  },
});

const EVERY_SECONDS = 5;

/** Parses a size such as `200x10`: targets, appliances. */
function sizeOf(text: string): MeasuredSize {
  const [targets = 1, appliances = 1] = text.split('x').map(Number);
  return { targets, appliances, everySeconds: EVERY_SECONDS };
}

const SIZES = ['1x1', '10x1', '100x1', '200x1', '1x10', '1x100', '1x200', '200x200'];
const QUICK = ['1x1', '100x1', '1x100'];

enterNetwork();
const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};
const sizes = (options.size ?? (options.quick === true ? QUICK : SIZES)).map(sizeOf);
const site = fork(fileURLToPath(new URL('site.ts', import.meta.url)), [
  String(Math.max(...sizes.map(({ targets }) => targets))),
]);
const results: Measured[] = [];
const lines: LogLines[] = [];
try {
  const [served] = (await once(site, 'message')) as unknown as readonly [Site];
  const configured = async <S extends Size, T>(
    size: S,
    look: (file: string, folder: string, of: S) => Promise<T>,
  ): Promise<T> => {
    const folder = await mkdtemp(join(tmpdir(), 'bench-scale-'));
    try {
      const seen = await look(await writeConfiguration(folder, size, served), folder, size);
      print(JSON.stringify(seen));
      return seen;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
  for (const size of sizes) results.push(await configured(size, measure));
  for (const { targets, appliances } of sizes)
    if (targets === 1) lines.push(await configured({ targets, appliances, everySeconds: null }, measureLines));
} finally {
  site.disconnect();
}
const report = reportOf(results, lines);
print(`\n${report}`);
if (options.json !== undefined)
  await writeFile(options.json, `${JSON.stringify({ sizes: results, lines }, null, 1)}\n`);
if (options.write === true) await writeReport(report);
