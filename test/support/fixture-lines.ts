import { readFileSync } from 'node:fs';

/** The lines of a fixture of test/fixtures/logs, without its comments. */
export function fixtureLines(name: string): readonly string[] {
  const text = readFileSync(new URL(`../fixtures/logs/${name}`, import.meta.url), 'utf8');
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}
