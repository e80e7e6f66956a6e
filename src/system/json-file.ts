import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { mkdirSync, statSync } from 'node:fs';
import { messageOf } from '../text/message-of.ts';

/**
 * A small part of the state in a separate file that is always replaced as a whole. After a crash, the file has either
 * the old or the new content. An unreadable file counts as missing. If the file cannot be written, only its content is
 * lost.
 */
export interface JsonFile {
  /** Returns the last saved value, which is not validated. Returns null if there is none. */
  load(): Promise<unknown>;
  save(value: unknown): Promise<void>;
}

/** A {@link JsonFile} for callers that must not wait for the disk. */
export interface BackgroundFile extends Pick<JsonFile, 'load'> {
  /** Writes the value soon. If several values are pending, only the latest value is written. */
  save(value: unknown): void;
}

/**
 * Writes files in the background, one after another. If the disk does not respond, no caller is blocked, and only one
 * of the four threads that Node also uses to resolve names is occupied.
 */
export interface BackgroundWriter {
  of(file: JsonFile): BackgroundFile;
  /** Resolves when no write is pending. */
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
  /** File mode of a new file. */
  readonly mode: number;
  /** Whether to wait for the disk, so that the file also survives a power failure. */
  readonly flush: boolean;
}

/**
 * Replaces a file as a whole. Writes a temporary file and renames it. A reader sees either the old or the new content,
 * and if the disk is full, the old content is kept. @throws Node's error, after removing the temporary file
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

/** @param flush whether to wait for the disk, so that the file also survives a power failure */
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
        // The folder is checked only if writing fails, because this check does not run in the background.
        await write().catch(() => {
          makeFolder(dirname(path));
          return write();
        });
      } catch {
        // The store reports this problem once for the same folder.
      }
    },
  };
}

/**
 * Creates a folder and its parents level by level. Node's `recursive` option never returns if a parent exists but
 * reports every new folder as missing (ENOENT), as /proc does.
 * @param mode mode of new folders
 * @throws {Error} with the name of the folder that cannot be created
 */
export function makeFolder(path: string, mode = 0o777): void {
  if (isFolder(path)) return;
  if (dirname(path) !== path) makeFolder(dirname(path), mode);
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    // Another process may have created the folder first.
    if (!isFolder(path)) throw new Error(`Cannot create the folder "${path}": ${messageOf(error)}`, { cause: error });
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/**
 * @param what text before the file name in the message, for example `the products in`
 * @throws {Error} with the reason why the file cannot be read
 */
export async function readText(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new Error(`Cannot read ${what} "${file}": ${messageOf(error)}`, { cause: error });
  }
}
