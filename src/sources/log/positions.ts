import { open, readFile, rename } from 'node:fs/promises';
import { z } from 'zod';
import type { FileMark } from './file-identity.ts';

/**
 * Where reading stopped in each log, by path: its current file last, rotated ones that are not read to the end before
 * it.
 */
export type Positions = Readonly<Record<string, readonly FileMark[]>>;

const mark = z.strictObject({
  device: z.number(),
  inode: z.number(),
  head: z.string(),
  headLength: z.int().nonnegative(),
  position: z.int().nonnegative(),
});

const stored = z.strictObject({ version: z.literal(1), files: z.record(z.string(), z.array(mark)) });

/** Reads the positions. Null when there are none yet. @throws {Error} when the file is not what was written there */
export async function readPositions(path: string): Promise<Positions | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  return stored.parse(JSON.parse(text)).files;
}

/** Replaces the positions as a whole: after a crash the file holds the old ones or the new ones. */
export async function writePositions(path: string, files: Positions): Promise<void> {
  const temporary = `${path}.new`;
  const handle = await open(temporary, 'w', 0o600);
  try {
    await handle.writeFile(JSON.stringify({ version: 1, files }));
    await handle.datasync();
  } finally {
    await handle.close();
  }
  await rename(temporary, path);
}
