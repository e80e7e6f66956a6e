import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';

/** A zip archive, unpacked by another program. */
export interface Unzipped {
  /** The only folder in it. */
  readonly folder: string;
  /** Names of all files in the folder, sorted. */
  readonly names: readonly string[];
  text(name: string): string;
}

/**
 * Tests an archive and unpacks it next to it with Python's zipfile. @throws if it is damaged or contains more than
 * one folder
 */
export async function unzip(archive: string): Promise<Unzipped> {
  execFileSync('python3', ['-m', 'zipfile', '-t', archive]);
  const into = await mkdtemp(`${archive}-`);
  execFileSync('python3', ['-m', 'zipfile', '-e', archive, into]);
  const [folder, ...others] = readdirSync(into);
  if (folder === undefined || others.length > 0)
    throw new Error(`Expected one folder in "${archive}", got ${String(others.length)} more`);
  const root = join(into, folder);
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return {
    folder,
    names: files.map(({ parentPath, name }) => join(parentPath, name).slice(root.length + 1)).toSorted(),
    text: (name) => readFileSync(join(root, name), 'utf8'),
  };
}
