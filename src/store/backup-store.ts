import { closeSync, openSync, renameSync, rmSync } from 'node:fs';
import { backup, DatabaseSync } from 'node:sqlite';
import { messageOf } from '../text/message-of.ts';
import { checkStore } from './check-store.ts';

/** In one step: what a daemon writes meanwhile would have it begin again and again. */
const ALL_PAGES = 2_147_483_647;

/**
 * Copies a store while its daemon writes into it, with what lies in the log of SQLite beside the file. The copy takes
 * the place of a file that is there only when it is whole.
 * @throws {Error} saying which of both files is the trouble
 */
export async function backupStore(from: string, to: string): Promise<void> {
  const temporary = `${to}.${String(process.pid)}.tmp`;
  try {
    using source = new DatabaseSync(from, { readOnly: true });
    closeSync(openSync(temporary, 'wx', 0o600));
    await backup(source, temporary, { rate: ALL_PAGES });
    becomeOneFile(temporary);
    if (checkStore(temporary).kind !== 'whole') throw new Error('the copy is not whole');
    renameSync(temporary, to);
  } catch (error) {
    for (const suffix of ['', '-wal', '-shm']) rmSync(temporary + suffix, { force: true });
    throw new Error(`Cannot copy the store "${from}" to "${to}": ${messageOf(error)}`, { cause: error });
  }
}

/** Who looks into a copy later leaves no other files beside it. The daemon changes that back. */
function becomeOneFile(path: string): void {
  using copy = new DatabaseSync(path);
  copy.exec('PRAGMA journal_mode = DELETE');
}
