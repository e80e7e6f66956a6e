import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type ConfigIssue, formatIssue } from '../../../src/config/issues.ts';
import { CANARY, loadText } from '../../support/config/config-machine.ts';

/** The configurations in the fixture, by name. `test/golden/configuration.txt` has their messages, keys and places. */
const CONFIGURATIONS: readonly (readonly [name: string, text: string])[] = readFileSync(
  'test/fixtures/config/bad.txt',
  'utf8',
)
  .split(/^=== /mu)
  .slice(1)
  .map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n') + 1)]);

async function issuesOf(name: string, text: string): Promise<readonly ConfigIssue[]> {
  const result = await loadText(text, { path: name });
  return result.kind === 'ok' ? [] : result.issues;
}

/** Returns the lines of the messages, which must have a position in the file. */
function linesOf(name: string, issues: readonly ConfigIssue[]): readonly (string | undefined)[] {
  return issues.map((issue) => {
    const text = formatIssue(issue);
    return text.startsWith(`${name}:`) ? /^:(\d+):\d+ {2}/u.exec(text.slice(name.length))?.[1] : undefined;
  });
}

describe('a bad configuration', () => {
  test.each(CONFIGURATIONS)('%s: one message for each mistake, with its place and without a secret', async (...one) => {
    const [name] = one;
    const issues = await issuesOf(...one);
    expect(issues).toHaveLength(name === 'ten-mistakes.yaml' ? 10 : 1);
    expect(linesOf(name, issues)).not.toContain(undefined);
    expect(new Set(linesOf(name, issues)).size).toBe(issues.length);
    expect(issues.filter(({ message }) => message.includes(CANARY))).toEqual([]);
  });
});
