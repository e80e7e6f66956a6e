import { chmodSync, constants, copyFileSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** A file to be written: its content, or the file to copy. */
export interface TreeFile {
  readonly content: string | Uint8Array | { readonly copyOf: string };
  readonly mode: 0o640 | 0o644 | 0o755;
}

/** Files by path, without a leading slash. */
export type FileTree = ReadonlyMap<string, TreeFile>;

/** A copy of a file of this machine, readable by all. */
export function copyOf(file: string): TreeFile {
  return { content: { copyOf: file }, mode: 0o644 };
}

/** Returns the files below a folder, unchanged, under a path of the tree. */
export function filesBelow(folder: string, under: string): readonly (readonly [path: string, file: TreeFile])[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted()
    .map((file) => [join(under, relative(folder, file)), copyOf(file)]);
}

/** Writes the files into a new folder. The result does not depend on the time or the user. */
export function writeTree(folder: string, tree: FileTree, date: number): void {
  mkdirSync(folder);
  for (const [path, { content, mode }] of tree) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    if (typeof content === 'string' || content instanceof Uint8Array) writeFileSync(file, content);
    else copyFileSync(content.copyOf, file, constants.COPYFILE_FICLONE);
    chmodSync(file, mode);
  }
  // Folders last, because writing files in them changes their times.
  for (const path of ['.', ...readdirSync(folder, { recursive: true, encoding: 'utf8' })].toReversed()) {
    if (!tree.has(path)) chmodSync(join(folder, path), 0o755);
    utimesSync(join(folder, path), date, date);
  }
}
