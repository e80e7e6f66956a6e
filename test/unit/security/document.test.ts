import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { productionPackages } from '../../../deploy/sbom/bill.ts';

const ROOT = new URL('../../../', import.meta.url);
const text = readFileSync(new URL('docs/security.md', ROOT), 'utf8');

test('docs/security.md names only tests that are there', () => {
  const named = [...new Set([...text.matchAll(/`(test\/[^`]+)`/gu)].map(([, path = '']) => path))];

  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((path) => !existsSync(new URL(path, ROOT)))).toEqual([]);
});

test('docs/security.md knows how many packages run', () => {
  expect(text).toContain(`- ${String(Object.keys(productionPackages()).length)} packages at run time`);
});
