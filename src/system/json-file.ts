import { readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolder } from './make-folder.ts';

/**
 * A small piece of state in a file of its own, replaced as a whole: after a crash it is the old one or the new one. One
 * that cannot be read counts as none, and one that cannot be written costs only what it would have remembered.
 */
export interface JsonFile {
  /** What was saved last, unchecked; null when there is none. */
  load(): Promise<unknown>;
  save(value: unknown): Promise<void>;
}

/** @param flush waits for the disk, so that the file also survives a power failure */
export function jsonFile(path: string, { flush = false }: { readonly flush?: boolean } = {}): JsonFile {
  const temporary = `${path}.${String(process.pid)}.tmp`;
  return {
    load: async () => {
      try {
        const parsed: unknown = JSON.parse(await readFile(path, 'utf8'));
        return parsed;
      } catch {
        return null;
      }
    },
    save: async (value) => {
      try {
        makeFolder(dirname(path));
        await writeFile(temporary, JSON.stringify(value), { mode: 0o600, flush });
        await rename(temporary, path);
      } catch {
        // Said once by the store, which lies in the same folder.
      }
    },
  };
}
