import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../../..');
const COPIED = [
  'src',
  'test',
  'bench',
  'deploy',
  'tools',
  'config',
  'docs',
  '.dockerignore',
  '.gitignore',
  '.npmrc',
  'CHANGELOG.md',
  'Dockerfile',
  'LICENSE',
  'README.md',
  'SECURITY.md',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'vitest.config.ts',
];

/** A copy of this project that a test can change. */
export interface CopiedTree extends Disposable {
  readonly root: string;
  write(path: string, text: string): void;
  /** @throws unless `before` occurs in the file exactly once */
  replace(path: string, before: string, after: string): void;
}

export function copiedTree(): CopiedTree {
  const root = mkdtempSync(join(tmpdir(), 'ftm-watch-tree-'));
  for (const name of COPIED) cpSync(join(ROOT, name), join(root, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));

  function write(path: string, text: string): void {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }

  return {
    root,
    write,
    replace(path, before, after) {
      const parts = readFileSync(join(root, path), 'utf8').split(before);
      if (parts.length !== 2) throw new Error(`Cannot find "${before}" once in ${path}`);
      write(path, parts.join(after));
    },
    [Symbol.dispose]() {
      rmSync(root, { recursive: true, force: true });
    },
  };
}
