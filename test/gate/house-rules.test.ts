import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as clockModule from '../../src/system/clock.ts';
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
    {
      path: 'src/a.ts',
      text: "stdio: ['pipe', 'inherit', 'ignore'],",
      expected: "makes this process's standard output",
    },
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

describe('texts for developers', () => {
  const code = globSync(['src/**/*.{ts,js}', 'test/support/**/*.ts'], { cwd: ROOT }).map(read).join('\n');

  test('refer only to names that exist', () => {
    const pages = [...globSync('src/**/README.md', { cwd: ROOT }), 'docs/architecture.md', 'CONTRIBUTING.md'];
    const named = pages.flatMap((path) =>
      [...read(path).matchAll(/`([a-z]+[A-Z][a-z]\w*)(?:\(\))?`/gu)].map(([, name = '']) => name),
    );
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((name) => !new RegExp(`\\b${name}\\b`, 'u').test(code))).toEqual([]);
  });

  test('of the linter name methods of Clock and functions of clock.ts', () => {
    const rules = read('.oxlintrc.json');
    const methods = [...rules.matchAll(/\bclock\.(?!ts\b)(\w+)/gu)].map(([, name]) => name);
    const helpers = [...rules.matchAll(/((?:\w+ or )*\w+) of src\/system\/clock\.ts/gu)].flatMap(([, names = '']) =>
      names.split(' or '),
    );
    expect(Object.keys(clockModule.systemClock)).toEqual(expect.arrayContaining(methods));
    expect(Object.keys(clockModule)).toEqual(expect.arrayContaining(helpers));
    expect(helpers).toContain('deadline');
  });
});

describe('the tests', () => {
  test.each(['unit', 'integration', 'e2e', 'soak', 'nightly'])('of the kind %s exist', (kind) => {
    expect(globSync(`test/${kind}/**/*.test.ts`, { cwd: ROOT }).length).toBeGreaterThan(0);
  });

  test('are all in a folder that the test runner looks into', () => {
    const strays = globSync('test/**/*.test.ts', { cwd: ROOT }).filter(
      (path) => !/^test\/(?:unit|integration|words|e2e|soak|gate|nightly)\//u.test(path),
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
