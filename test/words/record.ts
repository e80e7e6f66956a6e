/**
 * `npm run words` records what people read: writes `test/golden` and the generated files anew, and lowers the recorded
 * numbers of quotations. A file may not get more sentences that no golden file shows, except with `--accept`.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { productRuns, quotationsIn } from '../gate/quotations.ts';
import { grownSince, UNRENDERED, unrenderedIn, unrenderedList } from '../gate/unrendered.ts';

const ROOT = join(import.meta.dirname, '../..');
const QUOTATIONS = join(ROOT, 'test/gate/quotations.json');

function run(program: string, ...args: readonly string[]): void {
  execFileSync(program, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
}

run(process.execPath, 'tools/generate/run.ts');
// On the PATH of npm.
run('vitest', 'run', '--project', 'words', '--update', '--reporter', 'dot', '--no-color');
const recorded = JSON.parse(readFileSync(QUOTATIONS, 'utf8')) as Readonly<Record<string, number>>;
const found = quotationsIn(ROOT, productRuns(ROOT));
const lowered = Object.entries(recorded).flatMap(([path, count]): readonly (readonly [string, number])[] => {
  const now = Math.min(count, found.get(path)?.length ?? 0);
  return now === 0 ? [] : [[path, now]];
});
writeFileSync(QUOTATIONS, `${JSON.stringify(Object.fromEntries(lowered), null, 2)}\n`);

const missing = unrenderedIn(ROOT);
const grown = grownSince(readFileSync(join(ROOT, UNRENDERED), 'utf8'), missing);
if (grown.length === 0 || process.argv.includes('--accept')) {
  writeFileSync(join(ROOT, UNRENDERED), unrenderedList(missing));
} else {
  process.stderr.write(
    'These files have more sentences than before that no golden file shows. Add a case to test/words, or accept them ' +
      `with "npm run words -- --accept":\n\n${unrenderedList(grown)}`,
  );
  process.exitCode = 1;
}
