import { constants } from 'node:fs';
import { access, open, stat } from 'node:fs/promises';
import type { ReadResult } from './config-file.ts';
import type { ConfigFiles } from './load.ts';

/** The files of this machine, as the daemon reads them. */
export const localFiles: ConfigFiles = { read: readBounded, problem: fileProblem };

/** The same for other commands: they can read what systemd hands to the daemon also while that is stopped. */
export const commandFiles: ConfigFiles = { ...localFiles, substitute: sourceOfCredential };

/**
 * `LoadCredential=secrets:/etc/ftm-watch/secrets` of the unit: a file NAME there is `secrets_NAME` here, as long as the
 * service runs (systemd.exec(5)). A credential that somebody adds to the unit by its own name keeps that name.
 */
const CREDENTIAL = /^\/run\/credentials\/ftm-watch\.service\/(?:secrets_)?(?<name>[^/]+)$/u;
const SECRETS = '/etc/ftm-watch/secrets';

/** Whether systemd makes this file for the service alone. */
export function isCredential(path: string): boolean {
  return CREDENTIAL.test(path);
}

function sourceOfCredential(path: string): string | null {
  const name = CREDENTIAL.exec(path)?.groups?.['name'];
  return name === undefined || name === '.' || name === '..' ? null : `${SECRETS}/${name}`;
}

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
    const found = await stat(path);
    if (found.isDirectory()) return 'it is a directory';
    // access(2) answers for the real user, who may be another one than the effective user. A pipe that was opened and
    // closed would be lost.
    if (found.isFile()) await (await open(path)).close();
    else await access(path, constants.R_OK);
    return null;
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
