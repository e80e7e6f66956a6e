import { join } from 'node:path';
import { expect } from 'vitest';
import { stringify } from 'yaml';

const FOLDER = join(import.meta.dirname, '../golden');

/** Fails if what people read differs from its record in `test/golden`. */
export async function expectRecorded(name: string, cases: Readonly<Record<string, string>>): Promise<void> {
  const text = Object.entries(cases).map(([title, words]) => `## ${title}\n${words.trimEnd()}\n`);
  await expect(
    text.join('\n'),
    'Words differ from their record: run "npm run words", and review the diff',
  ).toMatchFileSnapshot(join(FOLDER, `${name}.txt`));
}

/** Returns all texts of a value with their keys, as YAML. Functions are left out. */
export function outline(value: unknown): string {
  return stringify(JSON.parse(JSON.stringify(value)), { lineWidth: 0 });
}
