import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const ROOT = new URL('../../../', import.meta.url);
const text = readFileSync(new URL('docs/security.md', ROOT), 'utf8');

test('docs/security.md names only tests that are there', () => {
  const named = [...new Set([...text.matchAll(/`(test\/[^`]+)`/gu)].map(([, path = '']) => path))];

  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((path) => !existsSync(new URL(path, ROOT)))).toEqual([]);
});
