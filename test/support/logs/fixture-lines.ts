import { readFileSync } from 'node:fs';

/** Returns the lines of a fixture in test/fixtures/logs, without comments. */
export function fixtureLines(name: string): readonly string[] {
  const text = readFileSync(new URL(`../../fixtures/logs/${name}`, import.meta.url), 'utf8');
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}
