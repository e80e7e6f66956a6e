import { readFile, rm } from 'node:fs/promises';
import { z } from 'zod';
import type { FileMark } from './file-identity.ts';
import type { IntakeLogger } from './logger.ts';

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

const stored = z.object({ files: z.record(z.string(), z.array(mark)) });
const former = stored.extend({ version: z.literal(1) });

/**
 * Reads the positions that were kept together with what was read up to them. Null when there are none.
 * @param content of the file that holds both, unchecked
 * @param formerFile where 0.1.0 kept positions alone: read once, and then deleted
 */
export async function readPositions(
  content: unknown,
  formerFile: string,
  logger: IntakeLogger,
): Promise<Positions | null> {
  try {
    if (typeof content !== 'object' || content === null || !('files' in content)) return await readFormer(formerFile);
    const { files } = stored.parse(content);
    await rm(formerFile, { force: true });
    return files;
  } catch (error) {
    logger.error({ err: error }, 'positions in the log files cannot be read, following begins at their ends');
    return null;
  }
}

async function readFormer(path: string): Promise<Positions | null> {
  try {
    return former.parse(JSON.parse(await readFile(path, 'utf8'))).files;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
