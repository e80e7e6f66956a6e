import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf } from '../text/message-of.ts';

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
