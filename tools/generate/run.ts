/** `npm run generate` writes every committed file that is generated from other files. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { outdatedFiles } from './outdated.ts';

const ROOT = join(import.meta.dirname, '../..');
const outdated = outdatedFiles(ROOT);
for (const { path, text, from } of outdated) {
  if (text === null) rmSync(join(ROOT, path));
  else writeFileSync(join(ROOT, path), text);
  process.stdout.write(`${text === null ? 'Deleted' : 'Wrote'} ${path}: it follows from ${from}\n`);
}
if (outdated.length === 0) process.stdout.write('Every generated file is up to date\n');
