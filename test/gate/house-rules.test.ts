import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { brokenHouseRules } from './house-rules.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

describe('brokenHouseRules()', () => {
  test.each([
    { path: 'src/a.ts', text: 'const at = new Date();', expected: 'reads the wall clock' },
    { path: 'src/a.ts', text: 'let count = 0;', expected: 'is state of the module' },
    { path: 'src/a.ts', text: 'export let count = 0;', expected: 'is state of the module' },
    { path: 'src/a.ts', text: "const TITLE = 'What users feel';", expected: 'is no word that people are told' },
    { path: 'src/a.ts', text: 'const cache = new Map<string, string>();', expected: 'is state of the module' },
    { path: 'src/a.ts', text: 'const cache: Map<string, string> = new Map();', expected: 'is state of the module' },
    {
      path: 'src/a.ts',
      text: 'const cache: WeakMap<object, string> = new WeakMap();',
      expected: 'is state of the module',
    },
    { path: 'src/a.ts', text: 'await mkdir(path, { recursive: true });', expected: 'may never return' },
    { path: 'src/a.ts', text: '// oxlint-disable-next-line complexity', expected: 'silences a check without a reason' },
    { path: 'src/a.ts', text: '  // biome-ignore format', expected: 'silences a check without a reason' },
    { path: 'src/sources/utils.ts', text: '', expected: 'has a name that says nothing' },
    { path: 'src/core/index.ts', text: '', expected: 'has a name that says nothing' },
  ])('refuses $text in $path', ({ path, text, expected }) => {
    expect(brokenHouseRules(path, text)).toEqual([expect.stringContaining(`${path}:1: ${expected}`)]);
  });

  test.each([
    { path: 'src/system/clock.ts', text: 'const at = new Date();' },
    { path: 'src/a.ts', text: 'const at = new Date(clock.now()).toISOString();' },
    { path: 'src/a.ts', text: ' * Never calls new Date() itself.' },
    { path: 'src/a.ts', text: '  let count = 0;' },
    { path: 'src/a.ts', text: "const names: ReadonlyMap<string, string> = new Map([['a', 'b']]);" },
    {
      path: 'src/a.ts',
      text: '// oxlint-disable-next-line complexity -- one row for each code reads better than two tables',
    },
    { path: 'src/core/index-of.ts', text: '' },
  ])('accepts $text in $path', ({ path, text }) => {
    expect(brokenHouseRules(path, text)).toEqual([]);
  });
});

describe('the sources', () => {
  const paths = globSync('src/**/*.{ts,js}', { cwd: ROOT, exclude: ['src/web/static/**'] });

  test('keep the house rules', () => {
    expect(paths.flatMap((path) => brokenHouseRules(path, read(path)))).toEqual([]);
    expect(paths.length).toBeGreaterThan(0);
  });
});

describe('the tests', () => {
  test.each(['unit', 'integration', 'e2e'])('of the kind %s exist', (kind) => {
    expect(globSync(`test/${kind}/**/*.test.ts`, { cwd: ROOT }).length).toBeGreaterThan(0);
  });

  test('are all in a folder that the test runner looks into', () => {
    const strays = globSync('test/**/*.test.ts', { cwd: ROOT }).filter(
      (path) => !/^test\/(?:unit|integration|e2e|gate)\//u.test(path),
    );
    expect(strays).toEqual([]);
  });
});

describe('package-lock.json', () => {
  const lock = read('package-lock.json');

  test('names no registry, so that it works behind any mirror', () => {
    expect(lock).not.toMatch(/"resolved": "https?:/u);
  });

  test('pins every package by its hash', () => {
    const { packages } = JSON.parse(lock) as {
      packages: Readonly<Record<string, { integrity?: string; link?: boolean }>>;
    };
    const unpinned = Object.entries(packages).filter(
      ([name, entry]) => name !== '' && entry.link !== true && entry.integrity === undefined,
    );
    expect(unpinned).toEqual([]);
    expect(Object.keys(packages).length).toBeGreaterThan(1);
  });
});
