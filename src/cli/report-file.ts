import type { Stats } from 'node:fs';
import { link, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { errorCode } from '../network/failure.ts';
import { temporaryFor } from '../system/json-file.ts';
import { messageOf } from '../text/message-of.ts';
import type { Terminal } from './terminal.ts';

type ReportTarget =
  | { readonly kind: 'output' }
  /** The report is saved in this directory, under its default name. */
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'file'; readonly path: string };

interface TypedTarget {
  readonly typed: string | undefined;
  readonly cwd: string;
  readonly force: boolean;
}

/** Called before the round starts, so that nobody waits for a report that cannot be saved. */
export async function reportTarget({ typed, cwd, force }: TypedTarget): Promise<ReportTarget> {
  if (typed === '-') return { kind: 'output' };
  const path = resolve(cwd, typed ?? '.');
  const found = await statOrNull(path);
  if (found === null) return newFile(path, typed?.endsWith('/') === true);
  if (found.isDirectory()) return { kind: 'folder', path };
  if (!found.isFile())
    throw new Error(`Cannot write to "${path}": this is not a regular file; use "-o -" to write to standard output`);
  if (!force) throw alreadyThere(path);
  return { kind: 'file', path };
}

async function newFile(path: string, isMeantAsFolder: boolean): Promise<ReportTarget> {
  const folder = isMeantAsFolder ? path : dirname(path);
  if (isMeantAsFolder || (await statOrNull(folder)) === null)
    throw new Error(`Cannot write to "${path}": the directory "${folder}" does not exist; create it first`);
  return { kind: 'file', path };
}

/** Returns the path of the written file, or null if the bytes were written to standard output. */
export async function writeTo(
  target: ReportTarget,
  name: string,
  bytes: Uint8Array,
  force: boolean,
  output: Terminal['output'],
): Promise<string | null> {
  if (target.kind === 'output') {
    output.write(bytes);
    return null;
  }
  const path = target.kind === 'file' ? target.path : join(target.path, name);
  await writeWhole(path, bytes, force);
  return path;
}

/** Only the owner can read the file, which is written either completely or not at all. */
async function writeWhole(path: string, bytes: Uint8Array, force: boolean): Promise<void> {
  const temporary = temporaryFor(path);
  try {
    await writeNew(temporary, bytes);
    await (force ? rename(temporary, path) : placeNew(temporary, path));
  } catch (error) {
    if (errorCode(error) === 'EEXIST') throw alreadyThere(path, error);
    throw new Error(`Cannot write to "${path}": ${reasonOf(error)}`, { cause: error });
  } finally {
    await rm(temporary, { force: true });
  }
}

async function writeNew(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * link(2) fails if the path exists. If the file system does not support hard links, the path is checked before the file
 * is renamed.
 */
async function placeNew(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path);
  } catch (error) {
    if (errorCode(error) === 'EEXIST') throw error;
    if ((await statOrNull(path)) !== null) throw alreadyThere(path, error);
    await rename(temporary, path);
  }
}

async function statOrNull(path: string): Promise<Stats | null> {
  try {
    return await stat(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw new Error(`Cannot write to "${path}": ${reasonOf(error)}`, { cause: error });
  }
}

function alreadyThere(path: string, cause?: unknown): Error {
  return new Error(`Cannot write to "${path}": the file already exists; use "--force" to overwrite it`, { cause });
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full; choose another disk with "-o"',
  EDQUOT: 'the disk quota is exhausted; choose another disk with "-o"',
  EACCES: 'permission denied; use "-o" to choose a writable directory',
  EPERM: 'permission denied; use "-o" to choose a writable directory',
  EROFS: 'the file system is read-only; choose another directory with "-o"',
  ENOTDIR: 'a part of the path is not a directory',
  ENAMETOOLONG: 'the file name is too long',
};

function reasonOf(error: unknown): string {
  return REASONS[errorCode(error) ?? ''] ?? messageOf(error);
}
