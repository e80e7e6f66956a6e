/**
 * `npm run words` records what people read: writes `test/golden` and the generated files anew, and lowers the recorded
 * numbers of quotations.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { productRuns, quotationsIn } from '../gate/quotations.ts';

const ROOT = join(import.meta.dirname, '../..');
const QUOTATIONS = join(ROOT, 'test/gate/quotations.json');

function run(program: string, ...args: readonly string[]): void {
  execFileSync(program, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
}

run(process.execPath, 'tools/generate/run.ts');
// On the PATH of npm.
run('vitest', 'run', '--project', 'words', '--update', '--reporter', 'dot');
const recorded = JSON.parse(readFileSync(QUOTATIONS, 'utf8')) as Readonly<Record<string, number>>;
const found = quotationsIn(ROOT, productRuns(ROOT));
const lowered = Object.entries(recorded).flatMap(([path, count]): readonly (readonly [string, number])[] => {
  const now = Math.min(count, found.get(path)?.length ?? 0);
  return now === 0 ? [] : [[path, now]];
});
writeFileSync(QUOTATIONS, `${JSON.stringify(Object.fromEntries(lowered), null, 2)}\n`);
