import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { packageFolder, thirdPartyNotices } from '../../../tools/bundle/third-party-notices.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ftm-watch-notices-'));
});

afterEach(() => rmSync(root, { recursive: true }));

function installed(name: string, files: Readonly<Record<string, string>>): string {
  const folder = join(root, name);
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, version: '1.0.0', license: 'MIT' }));
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
  return folder;
}

describe('thirdPartyNotices()', () => {
  test('has the text of each license and notice, wherever it stands', () => {
    const notices = thirdPartyNotices([
      installed('b', { 'README.md': '# B\n\nWords.\n\n# License\n\nMIT of B\n' }),
      installed('a', { 'LICENSE.md': 'MIT of A\n', NOTICE: 'A says\n', 'licensed.js': 'code' }),
    ]);
    expect(notices).toBe(
      'ftm-watch contains these packages.\n\na 1.0.0 (MIT)\n\nMIT of A\n\nA says\n\n' +
        `${'-'.repeat(80)}\n\nb 1.0.0 (MIT)\n\nMIT of B\n`,
    );
  });

  test('refuses a package without one', () => {
    const folder = installed('c', { 'README.md': '# C\n' });
    expect(() => thirdPartyNotices([folder])).toThrow(`Cannot find the license of the package "c" in "${folder}"`);
  });
});

describe('packageFolder()', () => {
  test.each([
    ['/x/node_modules/a/lib/b.js', '/x/node_modules/a'],
    ['/x/node_modules/@s/a/b.js', '/x/node_modules/@s/a'],
    ['/x/node_modules/a/node_modules/b/c.js', '/x/node_modules/a/node_modules/b'],
    ['/x/src/main.ts', null],
  ])('of %s is %s', (file, folder) => {
    expect(packageFolder(file)).toBe(folder);
  });
});
