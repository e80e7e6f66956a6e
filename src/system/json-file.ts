import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { mkdirSync, statSync } from 'node:fs';
import { messageOf } from '../text/message-of.ts';

/**
 * A small piece of state in a file of its own, replaced as a whole: after a crash it is the old one or the new one. One
 * that cannot be read counts as none, and one that cannot be written costs only what it would have remembered.
 */
export interface JsonFile {
  /** What was saved last, unchecked; null when there is none. */
  load(): Promise<unknown>;
  save(value: unknown): Promise<void>;
}

/** The same for somebody who must not wait for the disk. */
export interface BackgroundFile extends Pick<JsonFile, 'load'> {
  /** It is written soon. Of several values that wait, the latest is. */
  save(value: unknown): void;
}

/**
 * Writes files in the background, one after the other: a disk that hangs holds up nobody, and occupies no more than one
 * of the four threads in which Node also resolves names.
 */
export interface BackgroundWriter {
  of(file: JsonFile): BackgroundFile;
  /** Resolves when nothing waits any more. */
  written(): Promise<void>;
}

export function createBackgroundWriter(): BackgroundWriter {
  const waiting = new Map<JsonFile, unknown>();
  let writing: Promise<void> | null = null;

  async function writeAll(): Promise<void> {
    for (const [file, value] of waiting) {
      waiting.delete(file);
      await file.save(value);
    }
    writing = null;
  }

  return {
    of: (file) => ({
      load: () => file.load(),
      save: (value) => {
        waiting.set(file, value);
        writing ??= writeAll();
      },
    }),
    written: () => writing ?? Promise.resolve(),
  };
}

interface ReplaceOptions {
  /** Of a file that is made. */
  readonly mode: number;
  /** Waits for the disk, so that the file also survives a power failure. */
  readonly flush: boolean;
}

/**
 * Replaces a file as a whole: it is written beside and moved over the old one. A reader sees the old or the new, and a
 * full disk leaves the old. @throws what Node throws; nothing is left beside the file then
 */
export async function replaceFile(path: string, text: string, options: ReplaceOptions): Promise<void> {
  const temporary = `${path}.${String(process.pid)}.tmp`;
  try {
    await writeFile(temporary, text, options);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** @param flush waits for the disk, so that the file also survives a power failure */
export function jsonFile(path: string, { flush = false }: { readonly flush?: boolean } = {}): JsonFile {
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
        const write = (): Promise<void> => replaceFile(path, JSON.stringify(value), { mode: 0o600, flush });
        // Only when that fails is the folder looked at, which is not done in the background.
        await write().catch(() => {
          makeFolder(dirname(path));
          return write();
        });
      } catch {
        // Said once by the store, which lies in the same folder.
      }
    },
  };
}

/**
 * Makes a folder and those above it, level by level: `recursive` of Node never returns below a folder that is there and
 * says of every new one that it is not (ENOENT), as /proc does.
 * @param mode of those that are made
 * @throws {Error} naming the one that cannot be made
 */
export function makeFolder(path: string, mode = 0o777): void {
  if (isFolder(path)) return;
  if (dirname(path) !== path) makeFolder(dirname(path), mode);
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    // Another process may have been faster.
    if (!isFolder(path)) throw new Error(`Cannot make the folder "${path}": ${messageOf(error)}`, { cause: error });
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/**
 * @param what stands before its name in the message: `the products of`
 * @throws {Error} saying why it cannot be read
 */
export async function readText(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new Error(`Cannot read ${what} "${file}": ${messageOf(error)}`, { cause: error });
  }
}
