import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const ROOT = new URL('../../../', import.meta.url);
const text = readFileSync(new URL('test/proofs.md', ROOT), 'utf8');

test('test/proofs.md lists only tests that exist', () => {
  const named = [...new Set([...text.matchAll(/`((?:test|deploy)\/[^`]+)`/gu)].map(([, path = '']) => path))];

  expect(named.length).toBeGreaterThan(100);
  expect(named.filter((path) => !existsSync(new URL(path, ROOT)))).toEqual([]);
});
