import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const SRC = resolve(import.meta.dirname, '../../src');

/** The folders of `src`: each imports from those before it alone, types included. */
const FLOW: readonly string[] = [
  'core',
  'text',
  'system',
  'schedule',
  'network',
  'config/schema',
  'sources',
  'engine',
  'checks',
  'trust',
  'capture',
  'notify/message',
  'notify/channels',
  'config',
  'store',
  'metrics',
  'notify',
  'web',
  'report',
  'preflight',
  'runtime',
  'cli',
  'main.ts',
];

const IMPORT = /(?:\bfrom|\bimport\() ?'(?<to>\.[^']*\.ts)'/gu;

interface Import {
  readonly from: string;
  readonly to: string;
}

/** The folder of the flow that a path of `src` is in: the longest that fits. */
function placeOf(path: string): string | undefined {
  return FLOW.filter((folder) => path === folder || path.startsWith(`${folder}/`)).toSorted(
    (one, other) => other.length - one.length,
  )[0];
}

function importsOf(path: string, text: string): readonly Import[] {
  return [...text.matchAll(IMPORT)].map((match) => ({
    from: path,
    to: relative(SRC, join(SRC, dirname(path), match.groups?.['to'] ?? '')),
  }));
}

function isBackwards({ from, to }: Import): boolean {
  const [place, target] = [placeOf(from) ?? '', placeOf(to) ?? ''];
  return FLOW.indexOf(target) > FLOW.indexOf(place);
}

describe('the imports of the product', () => {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const imports = files.flatMap((path) => importsOf(path, readFileSync(join(SRC, path), 'utf8')));

  test('are found', () => {
    expect(imports.length).toBeGreaterThan(2_000);
    expect(
      importsOf('checks/mail/check.ts', `import type { A } from '../../sources/registry.ts';\nawait import('./b.ts');`),
    ).toEqual([
      { from: 'checks/mail/check.ts', to: 'sources/registry.ts' },
      { from: 'checks/mail/check.ts', to: 'checks/mail/b.ts' },
    ]);
    expect(isBackwards({ from: 'sources/registry.ts', to: 'checks/registry.ts' })).toBe(true);
    expect(isBackwards({ from: 'config/schema/section.ts', to: 'config/config.ts' })).toBe(true);
    expect(isBackwards({ from: 'config/config.ts', to: 'config/schema/section.ts' })).toBe(false);
  });

  test('have a place for every folder', () => {
    expect(files.filter((path) => placeOf(path) === undefined)).toEqual([]);
    expect(FLOW.filter((folder) => !files.some((path) => placeOf(path) === folder))).toEqual([]);
  });

  test('leave src for the demo alone, which is bundled apart', () => {
    expect(imports.filter(({ to }) => to.startsWith('..'))).toEqual([
      { from: 'cli/commands/demo.ts', to: '../test/lab/demo.ts' },
    ]);
  });

  test('flow one way', () => {
    expect(imports.filter(isBackwards).map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  });
});
