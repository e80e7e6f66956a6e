import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { type Contract, recordContract } from '../../support/contract/contract.ts';
import { PROGRAM } from '../../support/process/program.ts';

/** Returns removed (`-`) and added (`+`) lines, each with the name of its source. */
function differencesOf(before: Contract, now: Contract): readonly string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(now)]);
  return [...names].toSorted().flatMap((name) => {
    const [old, fresh] = [new Set(before[name]), new Set(now[name])];
    return [
      ...[...old].filter((line) => !fresh.has(line)).map((line) => `- ${name}: ${line}`),
      ...[...fresh].filter((line) => !old.has(line)).map((line) => `+ ${name}: ${line}`),
    ];
  });
}

/** Reports whether an intended line matches this one: `+ metrics: …`, `- http: …`. `*` matches any text. */
function covers(line: string, difference: string): boolean {
  const pattern = line.replaceAll(/[.+?^${}()|[\]\\]/gu, String.raw`\$&`).replaceAll('*', '.*');
  return new RegExp(`^${pattern}$`, 'su').test(difference);
}

const RELEASE = fileURLToPath(new URL('../../fixtures/contract/0.1.0', import.meta.url));
/** The intended changes since 0.1.0: indented, below the reason that `CHANGELOG.md` gives. */
const INTENDED = new URL('intended-differences.txt', import.meta.url);

test('what others build on is as 0.1.0 had it, except for what was changed on purpose', {
  timeout: 240_000,
}, async () => {
  const differences = differencesOf(await contractIn(RELEASE), await recordContract(PROGRAM));
  const text = await readFile(INTENDED, 'utf8');
  const intended = [...text.matchAll(/^ {2}([+-] .+)$/gmu)].map(([, line = '']) => line);
  // An unintended difference, or one that must be added to the list and to CHANGELOG.md.
  expect(differences.filter((difference) => !intended.some((line) => covers(line, difference)))).toEqual([]);
  expect(intended.filter((line) => !differences.some((difference) => covers(line, difference)))).toEqual([]);
});

async function contractIn(folder: string): Promise<Contract> {
  const files = await readdir(folder);
  return Object.fromEntries(
    await Promise.all(
      files.map(async (file) => {
        const text = await readFile(join(folder, file), 'utf8');
        return [basename(file, '.txt'), text.trimEnd().split('\n')] as const;
      }),
    ),
  );
}
