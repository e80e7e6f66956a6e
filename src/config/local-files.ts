import { constants } from 'node:fs';
import { access, open, stat } from 'node:fs/promises';
import type { ReadResult } from './config-file.ts';
import type { ConfigFiles } from './load.ts';

/** The files of this machine. */
export const localFiles: ConfigFiles = { read: readBounded, problem: fileProblem };

/** Reads one byte more than allowed instead of trusting the size: a device or a pipe has none. */
async function readBounded(path: string, limit: number): Promise<ReadResult> {
  try {
    if (!(await stat(path)).isFile()) return { kind: 'failed', reason: 'it is not a regular file' };
    await using file = await open(path);
    const buffer = Buffer.alloc(limit + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length);
      length += bytesRead;
      if (length > limit) return { kind: 'too-large' };
      if (bytesRead === 0) return { kind: 'read', bytes: buffer.subarray(0, length) };
    }
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? { kind: 'missing' } : { kind: 'failed', reason: reasonOf(error) };
  }
}

async function fileProblem(path: string): Promise<string | null> {
  try {
    await access(path, constants.R_OK);
    return (await stat(path)).isDirectory() ? 'it is a directory' : null;
  } catch (error) {
    return reasonOf(error);
  }
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'no such file'],
  ['EACCES', 'permission denied'],
  ['EPERM', 'permission denied'],
  ['EISDIR', 'it is a directory'],
  ['ENOTDIR', 'a part of its path is no directory'],
  ['ENAMETOOLONG', 'its name is too long'],
  ['ELOOP', 'too many symbolic links'],
  ['ERR_INVALID_ARG_VALUE', 'its name holds a zero byte'],
]);

function reasonOf(error: unknown): string {
  const code = codeOf(error);
  return REASONS.get(code) ?? `error ${code}`;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
}
