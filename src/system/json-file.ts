import { randomBytes } from 'node:crypto';
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { mkdirSync, statSync } from 'node:fs';
import { messageOf } from '../text/message-of.ts';

/**
 * Always replaced as a whole, so that the file contains either the old or the new content after a crash. An unreadable
 * file is treated as missing. If the file cannot be written, only its content is lost.
 */
export interface JsonFile {
  /** Not validated. Null if there is none. */
  load(): Promise<unknown>;
  save(value: unknown): Promise<void>;
}

/** Used by callers that must not wait for the disk. */
export interface BackgroundFile extends Pick<JsonFile, 'load'> {
  /** If several values are pending, only the latest value is written. */
  save(value: unknown): void;
}

/**
 * Writes files one after another. If the disk does not respond, only one of Node's four worker threads is occupied, so
 * names can still be resolved.
 */
export interface BackgroundWriter {
  of(file: JsonFile): BackgroundFile;
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
  readonly mode: number;
  /** Waits until the disk has stored the data, so that the file survives a power failure. */
  readonly flush: boolean;
}

/**
 * Writes a temporary file and renames it, so that readers see either the old or the new content. If the disk is full,
 * the old content is kept.
 * @throws Node's error, after removing the temporary file
 */
export async function replaceFile(path: string, text: string, options: ReplaceOptions): Promise<void> {
  const temporary = temporaryFor(path);
  try {
    await writeNew(temporary, text, options);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function writeNew(path: string, text: string, { mode, flush }: ReplaceOptions): Promise<void> {
  await using file = await open(path, 'wx', mode);
  await file.writeFile(text);
  if (flush) await file.sync();
  const { uid, gid } = await stat(dirname(path));
  // Root runs a command with the daemon's configuration, and the daemon must be able to read the file.
  if (process.geteuid?.() === 0 && uid !== 0) await file.chown(uid, gid);
}

/**
 * Returns a name in the same folder that nobody can guess. Otherwise, a user who can write to the folder could create
 * the file as a symbolic link, so that root overwrites the link's target.
 */
export function temporaryFor(path: string): string {
  return `${path}.${randomBytes(8).toString('hex')}.tmp`;
}

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
        // The folder is created only after writing has failed, because creating it blocks the process.
        await write().catch(() => {
          makeFolder(dirname(path));
          return write();
        });
      } catch {
        // The store is in the same folder, so opening it reports the problem.
      }
    },
  };
}

/**
 * Node's `recursive` option is not used, because it never returns in an existing folder such as /proc, where creating
 * any folder fails with ENOENT.
 * @throws {Error} with the name of the folder that cannot be created
 */
export function makeFolder(path: string, mode = 0o777): void {
  if (isFolder(path)) return;
  if (dirname(path) !== path) makeFolder(dirname(path), mode);
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    // Another process may have created the folder in the meantime.
    if (!isFolder(path)) throw new Error(`Cannot create the folder "${path}": ${messageOf(error)}`, { cause: error });
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/**
 * @param what text before the file name in the error message, for example `the products in`
 * @throws {Error} with the reason why the file cannot be read
 */
export async function readText(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new Error(`Cannot read ${what} "${file}": ${messageOf(error)}`, { cause: error });
  }
}
