import { readFile } from 'node:fs/promises';
import { messageOf } from '../text/message-of.ts';

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
