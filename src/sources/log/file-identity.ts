import { createHash } from 'node:crypto';
import { open, readdir, stat, type FileHandle } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';

/** How a file is known again, after it was renamed, copied, cut or replaced. */
export interface FileMark {
  readonly device: number;
  readonly inode: number;
  /**
   * SHA-256 of its first `headLength` bytes, which may not be read yet: inode numbers are used again, and a copy has
   * another one.
   */
  readonly head: string;
  readonly headLength: number;
  /** Bytes that were read and handed on: up to the end of a line. */
  readonly position: number;
}

/** Log lines begin with their time, so this many bytes tell one file from the next. */
const HEAD = 512;
/** Rotated files of one log; more are not looked at. */
const MAX_ROTATED = 64;

/** A regular file of the log, opened. */
export interface OpenedFile {
  readonly path: string;
  readonly handle: FileHandle;
  readonly device: number;
  readonly inode: number;
  readonly modifiedAt: number;
}

/** Opens a regular file; null when there is none. A named pipe would never open, so it is looked at first. */
export async function openRegular(path: string): Promise<OpenedFile | null> {
  let handle: FileHandle | null = null;
  try {
    if (!(await stat(path)).isFile()) return null;
    handle = await open(path, 'r');
    const { dev, ino, mtimeMs } = await handle.stat();
    return { path, handle, device: dev, inode: ino, modifiedAt: mtimeMs };
  } catch (error) {
    await handle?.close();
    if (isMissing(error)) return null;
    throw error;
  }
}

/** The mark of an open file that was read up to `position`. */
export async function markOf({ handle, device, inode }: OpenedFile, position: number): Promise<FileMark> {
  const { head, headLength } = await headOf(handle, HEAD);
  return { device, inode, head, headLength, position };
}

/** Whether the file was short when the mark was made: more of its beginning may be known by now. */
export function isShort({ headLength }: FileMark): boolean {
  return headLength < HEAD;
}

/** Whether the file still begins as it did, and is as long as it was read. */
export async function continues({ handle }: OpenedFile, mark: FileMark): Promise<boolean> {
  const { size } = await handle.stat();
  return size >= mark.position && (await headOf(handle, mark.headLength)).head === mark.head;
}

/**
 * Finds what became of a file of the log `path` that was read up to `mark`: renamed (the same inode) or copied and cut
 * (the same beginning). Null when it is gone, or was compressed.
 */
export async function findMarked(path: string, mark: FileMark): Promise<OpenedFile | null> {
  const current = await openRegular(path);
  const files = [...(current === null ? [] : [current]), ...(await openRotated(path))];
  const isSame = (file: OpenedFile): boolean => file.device === mark.device && file.inode === mark.inode;
  const fitting: OpenedFile[] = [];
  for (const file of files)
    if ((isSame(file) || mark.headLength > 0) && (await continues(file, mark))) fitting.push(file);
  const found = fitting.find(isSame) ?? fitting[0] ?? null;
  await Promise.all(files.filter((file) => file !== found).map((file) => file.handle.close()));
  return found;
}

/** Files of the log that were written after `file` and rotated away before anybody saw them, oldest first. */
export async function findNewer(path: string, file: OpenedFile): Promise<readonly OpenedFile[]> {
  const rotated = await openRotated(path);
  const newer = rotated.filter((other) => other.inode !== file.inode && other.modifiedAt > file.modifiedAt);
  await Promise.all(rotated.filter((other) => !newer.includes(other)).map((other) => other.handle.close()));
  return newer.toSorted((a, b) => a.modifiedAt - b.modifiedAt);
}

/** `fac.log.1`, `fac.log-20261124`, `fac-20261124.log`; compressed ones cannot be continued. */
async function openRotated(path: string): Promise<readonly OpenedFile[]> {
  const directory = dirname(path);
  let names: readonly string[];
  try {
    names = await readdir(directory);
  } catch {
    return [];
  }
  const rotated = names.filter((name) => isRotationOf(basename(path), name)).slice(0, MAX_ROTATED);
  const opened = await Promise.all(rotated.map((name) => openRegular(join(directory, name)).catch(() => null)));
  return opened.filter((file) => file !== null);
}

/** Whether logrotate and its like would give this name to an old file of the log `current`. @internal */
export function isRotationOf(current: string, name: string): boolean {
  const extension = extname(current);
  const stem = current.slice(0, current.length - extension.length);
  const inTheMiddle =
    extension !== '' && name.startsWith(stem) && name.endsWith(extension)
      ? name.slice(stem.length, -extension.length)
      : '';
  const atTheEnd = name.startsWith(current) ? name.slice(current.length) : '';
  return [inTheMiddle, atTheEnd].some((rest) => /^[.-]\d[\d.T_-]*$/u.test(rest));
}

async function headOf(handle: FileHandle, most: number): Promise<Pick<FileMark, 'head' | 'headLength'>> {
  const bytes = Buffer.alloc(most);
  const { bytesRead } = await handle.read(bytes, 0, most, 0);
  const head = createHash('sha256').update(bytes.subarray(0, bytesRead)).digest('hex');
  return { head, headLength: bytesRead };
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
