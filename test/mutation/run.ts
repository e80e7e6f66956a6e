/**
 * `npm run mutation [-- [--write] [--tests PATTERN] [FILE…]]`: changes the pure code in small ways and counts how
 * many changes a test detects. Fails if a file falls below its recorded floor. `--write` records the floors again,
 * `FILE` (or a pattern) selects files, and `--tests` selects tests, which gives a lower bound within minutes.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { z } from 'zod';

const FLOORS = 'test/mutation/floors.json';
const REPORT = '.cache/mutation.json';

const report = z.object({
  files: z.record(z.string(), z.object({ mutants: z.array(z.object({ status: z.string() })) })),
});
/** Percentage of mutants that must be detected, by file. */
const floors = z.record(z.string(), z.number());

interface Score {
  readonly file: string;
  readonly noticed: number;
  readonly all: number;
}

function percent({ noticed, all }: Pick<Score, 'noticed' | 'all'>): number {
  return all === 0 ? 100 : Math.floor((noticed / all) * 1000) / 10;
}

function runStryker(files: readonly string[], tests: readonly string[]): void {
  const chosen = files.length === 0 ? [] : ['--mutate', files.join(',')];
  const { status } = spawnSync('stryker', ['run', 'test/mutation/stryker.config.json', ...chosen], {
    stdio: 'inherit',
    // The floors were measured with this many samples.
    env: { FTM_SAMPLES: '5', ...process.env, MUTATION_TESTS: tests.join(',') },
  });
  if (status !== 0) throw new Error(`Cannot measure: Stryker ended with ${String(status)}`);
}

function readScores(): readonly Score[] {
  const { files } = report.parse(JSON.parse(readFileSync(REPORT, 'utf8')));
  return Object.entries(files).map(([file, { mutants }]) => {
    const counted = mutants.filter(({ status }) => !['Ignored', 'CompileError', 'RuntimeError'].includes(status));
    return {
      file,
      noticed: counted.filter(({ status }) => status === 'Killed' || status === 'Timeout').length,
      all: counted.length,
    };
  });
}

function main(): void {
  const { values, positionals } = parseArgs({
    options: { write: { type: 'boolean' }, tests: { type: 'string', multiple: true, default: [] } },
    allowPositionals: true,
  });
  runStryker(positionals, values.tests);
  const scores = readScores();
  const known = floors.parse(JSON.parse(readFileSync(FLOORS, 'utf8')));
  const below = scores.filter((score) => percent(score) < (known[score.file] ?? 0));
  // A file without a floor would never fail.
  const withoutFloor = scores.filter(({ file, all }) => all > 0 && known[file] === undefined);
  const sum = {
    noticed: scores.reduce((all, score) => all + score.noticed, 0),
    all: scores.reduce((all, score) => all + score.all, 0),
  };
  console.log(
    `mutation: ${String(sum.noticed)} of ${String(sum.all)} changes were noticed (${String(percent(sum))} %)`,
  );
  if (values.write === true) {
    const next = { ...known, ...Object.fromEntries(scores.map((score) => [score.file, percent(score)])) };
    const sorted = Object.fromEntries(Object.entries(next).toSorted(([a], [b]) => a.localeCompare(b)));
    writeFileSync(FLOORS, `${JSON.stringify(sorted, null, 2)}\n`);
    return;
  }
  for (const score of below)
    console.log(`mutation: ${score.file} has ${String(percent(score))} %, below ${String(known[score.file])} %`);
  for (const score of withoutFloor)
    console.log(`mutation: ${score.file} has ${String(percent(score))} % and no floor: record it with --write`);
  process.exitCode = below.length === 0 && sum.all > 0 ? 0 : 1;
}

main();
