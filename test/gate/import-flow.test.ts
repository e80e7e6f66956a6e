import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const SRC = resolve(import.meta.dirname, '../../src');

/**
 * Modules that the pure folders can use: they only compute and have no side effects. For the last two, the linter
 * lists the allowed names.
 */
const PURE: readonly string[] = ['ipaddr.js', 'node:crypto', 'node:net'];

interface Folder {
  readonly folder: string;
  /** The folders from which it can import. */
  readonly knows: readonly string[];
  /** The folders from which it can import types only. Values are passed as arguments. */
  readonly types?: readonly string[];
  /** The packages and modules of Node that it may import; by default, all packages of the project. */
  readonly packages?: readonly string[];
}

/** The folders below the runtime, from bottom to top. */
const BELOW: readonly Folder[] = [
  { folder: 'core', knows: [], packages: PURE },
  { folder: 'text', knows: ['core'], packages: ['croner', 'leven', 'yaml', 'zod'] },
  { folder: 'system', knows: ['core', 'text'] },
  { folder: 'tls', knows: ['core', 'text'], packages: PURE },
  { folder: 'network', knows: ['core', 'text', 'system', 'tls'] },
  { folder: 'config/schema', knows: ['core', 'text', 'network'], types: ['system'] },
  { folder: 'connectors', knows: ['core', 'text', 'system', 'network'], types: ['config/schema'] },
  { folder: 'logs', knows: ['core', 'text', 'system', 'network'], types: ['config/schema'] },
  { folder: 'engine', knows: ['core'], packages: [...PURE, 'zod'] },
  { folder: 'checks', knows: ['core', 'tls', 'engine'], types: ['config/schema', 'connectors'], packages: PURE },
  { folder: 'trust', knows: ['core', 'text', 'system', 'tls'], types: ['config/schema'] },
  {
    folder: 'document',
    knows: ['core', 'text', 'engine', 'checks'],
    packages: ['hono/html', 'node:crypto', 'picocolors'],
  },
  {
    folder: 'notify/channels',
    knows: ['core', 'text', 'system', 'network', 'config/schema', 'engine', 'checks', 'document'],
  },
  {
    folder: 'config',
    knows: ['core', 'text', 'config/schema'],
    types: ['system'],
  },
  {
    folder: 'round',
    knows: ['core', 'system', 'tls', 'network', 'config/schema', 'engine', 'checks', 'trust'],
    types: ['config', 'connectors'],
  },
  { folder: 'store', knows: ['core', 'text', 'system', 'config/schema', 'engine', 'checks'] },
  {
    folder: 'metrics',
    knows: ['core', 'text', 'system', 'network', 'config/schema', 'engine', 'checks'],
    types: ['config', 'connectors'],
  },
  {
    folder: 'notify',
    knows: ['core', 'text', 'system', 'network', 'config/schema', 'engine', 'checks', 'document', 'notify/channels'],
    types: ['config'],
  },
  {
    folder: 'web',
    knows: ['core', 'text', 'system', 'tls', 'network', 'engine', 'checks', 'document', 'notify/channels'],
    types: ['config/schema', 'notify'],
  },
  { folder: 'capture', knows: ['core', 'text', 'tls', 'network', 'engine', 'checks'] },
  {
    folder: 'report',
    knows: [
      'core',
      'text',
      'tls',
      'config/schema',
      'engine',
      'checks',
      'document',
      'notify/channels',
      'config',
      'capture',
    ],
    types: ['connectors', 'store'],
  },
  {
    folder: 'preflight',
    knows: ['core', 'text', 'engine', 'checks', 'document'],
    types: ['config/schema', 'connectors'],
  },
];
const BELOW_FOLDERS = BELOW.map(({ folder }) => folder);

/** The folders of `src`, from bottom to top. */
const FLOW: readonly Folder[] = [
  ...BELOW,
  { folder: 'runtime', knows: BELOW_FOLDERS },
  { folder: 'demo', knows: ['core', 'text', 'system', 'network'], types: ['engine', 'checks'] },
  { folder: 'cli', knows: [...BELOW_FOLDERS, 'runtime', 'demo'] },
  { folder: 'main.ts', knows: ['core', 'system', 'cli'] },
];

const IMPORT = /(?:^import (?<typeOnly>type )?(?<names>[^;]*?)\bfrom |\bimport\()'(?<to>[^']+)'/gmu;

interface Import {
  readonly from: string;
  /** A path in `src` or a package. */
  readonly to: string;
  readonly typeOnly: boolean;
}

/** Returns the folder of the table that contains a path of `src`: the longest match. */
function placeOf(path: string): Folder | undefined {
  return FLOW.filter(({ folder }) => path === folder || path.startsWith(`${folder}/`)).toSorted(
    (one, other) => other.folder.length - one.folder.length,
  )[0];
}

function importsOf(from: string, text: string): readonly Import[] {
  return [...text.matchAll(IMPORT)].map(({ groups }) => {
    const to = groups?.['to'] ?? '';
    const names = groups?.['names'] ?? '*';
    const values = names.replaceAll(/\btype \w+(?: as \w+)?/gu, '');
    return {
      from,
      to: to.startsWith('.') ? relative(SRC, join(SRC, dirname(from), to)) : to,
      typeOnly: groups?.['typeOnly'] !== undefined || !/[\w*]/u.test(values),
    };
  });
}

function isAllowed({ from, to, typeOnly }: Import): boolean {
  const place = placeOf(from);
  if (place === undefined) return false;
  if (!to.endsWith('.ts')) return place.packages?.includes(to) ?? true;
  const target = placeOf(to)?.folder;
  if (target === undefined) return false;
  return (
    target === place.folder || place.knows.includes(target) || (typeOnly && place.types?.includes(target) === true)
  );
}

describe('the imports of the product', () => {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const imports = files.flatMap((path) => importsOf(path, readFileSync(join(SRC, path), 'utf8')));

  test('are found', () => {
    expect(imports.length).toBeGreaterThan(1_000);
    expect(
      importsOf(
        'checks/mail/judge.ts',
        "import type { A } from '../../connectors/picture.ts';\nimport {\n  type B,\n  type C,\n} from './b.ts';\n" +
          "import { d, type E } from 'zod';\nawait import('./f.ts');",
      ),
    ).toEqual([
      { from: 'checks/mail/judge.ts', to: 'connectors/picture.ts', typeOnly: true },
      { from: 'checks/mail/judge.ts', to: 'checks/mail/b.ts', typeOnly: true },
      { from: 'checks/mail/judge.ts', to: 'zod', typeOnly: false },
      { from: 'checks/mail/judge.ts', to: 'checks/mail/f.ts', typeOnly: false },
    ]);
  });

  test.each([
    ['core/a.ts', 'zod', false],
    ['core/a.ts', 'node:fs', false],
    ['core/a.ts', 'node:net', true],
    ['core/license/a.ts', 'system/clock.ts', false],
    ['engine/a.ts', 'checks/registry.ts', false],
    ['engine/incident/a.ts', 'system/clock.ts', false],
    ['checks/mail/a.ts', 'connectors/picture.ts', false],
    ['checks/mail/a.ts', 'store/store.ts', false],
    ['network/dns/a.ts', 'config/config.ts', false],
    ['connectors/a.ts', 'checks/mail/judge.ts', false],
    ['round/a.ts', 'config/schema/section.ts', true],
    ['metrics/a.ts', 'notify/outbox.ts', false],
    ['metrics/a.ts', 'config/config.ts', false],
    ['web/a.ts', 'runtime/app.ts', false],
    ['notify/channels/a.ts', 'config/config.ts', false],
    ['runtime/a.ts', 'main.ts', false],
    ['new/a.ts', 'core/clock.ts', false],
  ])('a value of %s from %s: %s', (from, to, allowed) => {
    expect(isAllowed({ from, to, typeOnly: false })).toBe(allowed);
  });

  test('know a type where a value may not be known', () => {
    expect(isAllowed({ from: 'checks/mail/a.ts', to: 'connectors/picture.ts', typeOnly: true })).toBe(true);
    expect(isAllowed({ from: 'metrics/a.ts', to: 'config/config.ts', typeOnly: true })).toBe(true);
    expect(isAllowed({ from: 'engine/a.ts', to: 'connectors/picture.ts', typeOnly: true })).toBe(false);
  });

  test('have a place for every folder, above all that it knows', () => {
    expect(files.filter((path) => placeOf(path) === undefined)).toEqual([]);
    expect(FLOW.filter((place) => !files.some((path) => placeOf(path) === place))).toEqual([]);
    const order = FLOW.map(({ folder }) => folder);
    for (const { folder, knows } of FLOW)
      expect(knows.filter((known) => !order.slice(0, order.indexOf(folder)).includes(known))).toEqual([]);
  });

  test('are those of the table', () => {
    expect(imports.filter((each) => !isAllowed(each)).map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  });

  test('of a channel name no other channel', () => {
    const registry = 'notify/channels/registry.ts';
    const channels = imports.filter(({ from, typeOnly }) => from === registry && !typeOnly).map(({ to }) => to);
    expect(channels.length).toBeGreaterThan(5);
    expect(imports.filter(({ from, to }) => channels.includes(from) && channels.includes(to))).toEqual([]);
  });

  test('never leave src', () => {
    expect(imports.filter(({ to }) => to.startsWith('..'))).toEqual([]);
  });

  test('load a command when it runs, and before it only what reads the arguments', () => {
    const declarations = ['cli/check-command.ts', 'cli/commands.ts', 'cli/given.ts'];
    const isLazy = ({ from, to }: Import): boolean =>
      declarations.includes(from) && /^(?:cli|demo)\//u.test(to) && !declarations.includes(to);
    const loaded = new Set(['cli/program.ts']);
    for (const path of loaded)
      for (const each of imports) if (each.from === path && !each.typeOnly && !isLazy(each)) loaded.add(each.to);
    expect([...loaded].filter((path) => !/^(?:core|text)\//u.test(path)).toSorted()).toEqual([
      ...declarations,
      'cli/lazy-command.ts',
      'cli/program.ts',
      'commander',
      'node:net',
    ]);
    const commands = declarations.map((path) => readFileSync(join(SRC, path), 'utf8')).join('');
    const lazy = imports.filter((each) => isLazy(each) && !each.typeOnly);
    expect(lazy.length).toBeGreaterThan(15);
    for (const { to } of lazy)
      expect(commands).toContain(`await import('./${to}')`.replace('./cli/', './').replace('./demo/', '../demo/'));
  });

  test('load the demo, which is bundled apart, only when it runs', () => {
    const demo = imports.filter(({ from, to }) => to.startsWith('demo/') && !from.startsWith('demo/'));
    expect(demo).toEqual([{ from: 'cli/commands.ts', to: 'demo/demo.ts', typeOnly: false }]);
    expect(readFileSync(join(SRC, 'cli/commands.ts'), 'utf8')).toContain("await import('../demo/demo.ts')");
  });
});
