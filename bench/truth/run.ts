/**
 * How long it takes from a fault to the mail that names it: `npm run bench:truth`. bench/README.md tells how to read it.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Millis } from '../../src/core/clock.ts';
import { isInside, putUp, runInside } from '../soak/namespace.ts';
import { measureTruth, type TimeToTruth, type TruthOptions } from './measure.ts';

const { values } = parseArgs({ options: { times: { type: 'string', default: '5' } } });

/** The default schedule, and the fastest that it can have. */
const SETTINGS: readonly (Pick<TruthOptions, 'everySeconds' | 'isLogged'> & { readonly title: string })[] = [
  { title: 'a round every 30 s (default), from the fault', everySeconds: 30, isLogged: false },
  { title: 'a round every 30 s (default), from a log line', everySeconds: 30, isLogged: true },
  { title: 'a round every second, from the fault', everySeconds: 1, isLogged: false },
];

if (isInside(process.env)) {
  putUp();
  const rows: string[] = [];
  for (const { title, ...setting } of SETTINGS) {
    process.stderr.write(`${title}\n`);
    const found = await measureTruth({
      ...setting,
      times: Number(values.times),
      onFault: ({ fault, opened, mailed }) => {
        process.stderr.write(`  ${fault}: incident ${seconds(opened)}, mail ${seconds(mailed)}\n`);
      },
    });
    rows.push(...rowsOf(title, found));
  }
  process.stdout.write(
    `${['| Time to the truth | faults | incident, s | mail, s |', '| --- | --- | --- | --- |', ...rows].join('\n')}\n`,
  );
} else process.exitCode = await runInside(fileURLToPath(import.meta.url), process.argv.slice(2));

function rowsOf(title: string, found: readonly TimeToTruth[]): readonly string[] {
  const kinds = [...new Set(found.map(({ fault }) => fault))].toSorted();
  return [
    rowOf(`**${title}**`, found),
    ...kinds.map((kind) =>
      rowOf(
        kind,
        found.filter(({ fault }) => fault === kind),
      ),
    ),
  ];
}

function rowOf(title: string, found: readonly TimeToTruth[]): string {
  const cells = [
    title,
    String(found.length),
    distribution(found.map(({ opened }) => opened)),
    distribution(found.map(({ mailed }) => mailed)),
  ];
  return `| ${cells.join(' | ')} |`;
}

/** Least, median, nine in ten, most; never: last. */
function distribution(times: readonly (Millis | null)[]): string {
  const sorted = times.toSorted((one, other) => (one ?? Infinity) - (other ?? Infinity));
  const at = (share: number): string => seconds(sorted[Math.round(share * (sorted.length - 1))] ?? null);
  return `${at(0)} – ${at(0.5)} – ${at(0.9)} – ${at(1)}`;
}

function seconds(time: Millis | null): string {
  return time === null ? 'never' : (time / 1000).toFixed(1);
}
