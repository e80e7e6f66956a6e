import { existsSync, realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { isoTime } from '../core/time-text.ts';
import { visibleText, counted } from '../core/visible-text.ts';
import { backupStore, type CheckedStore, checkStore, type WholeStore } from '../store/backup-store.ts';
import { EXIT_UNKNOWN } from './lazy-command.ts';
import { storePathOf, type Invocation } from './terminal.ts';

const STORE_CHECK_EXIT = { whole: 0, damaged: 2, unreadable: EXIT_UNKNOWN } as const;

const MAX_SHOWN = 1_000;

export async function storeCheck(copy: string | undefined, terminal: Invocation): Promise<number> {
  const path = copy === undefined ? await storePathOf(terminal) : resolve(terminal.cwd, copy);
  const checked = checkStore(path);
  const { text, code } = verdictOn(checked);
  const lines = visibleText(`${path}: ${text}`, MAX_SHOWN);
  const problems =
    checked.kind === 'damaged' ? checked.problems.map((one) => `- ${visibleText(one, MAX_SHOWN)}\n`) : [];
  (code === STORE_CHECK_EXIT.whole ? terminal.output : terminal.errors).write(`${lines}\n${problems.join('')}`);
  return code;
}

function verdictOn(checked: CheckedStore): { readonly text: string; readonly code: number } {
  switch (checked.kind) {
    case 'missing':
      return { text: 'the store does not exist', code: STORE_CHECK_EXIT.unreadable };
    case 'unreadable':
      return { text: `the store cannot be read: ${checked.message}`, code: STORE_CHECK_EXIT.unreadable };
    case 'damaged':
      return { text: 'the store is damaged; restore a backup (see docs/install.md)', code: STORE_CHECK_EXIT.damaged };
    case 'whole':
      return {
        text: `${wholeText(checked)}; ${versionText(checked)}`,
        code: checked.version > checked.knownVersion ? STORE_CHECK_EXIT.damaged : STORE_CHECK_EXIT.whole,
      };
  }
}

function wholeText({ bytes, incidents, pending, lastSampleAt }: WholeStore): string {
  const last = lastSampleAt === null ? '' : `, last written at ${isoTime(lastSampleAt)}`;
  return (
    `intact, ${String(Math.ceil(bytes / 1024))} KiB, ${counted(incidents, 'incident')}, ` +
    `${counted(pending, 'undelivered message')}${last}`
  );
}

function versionText({ version, knownVersion }: WholeStore): string {
  if (version === knownVersion) return `version ${String(version)}`;
  return version < knownVersion
    ? `version ${String(version)}, which the daemon will upgrade to ${String(knownVersion)} after making a copy`
    : `version ${String(version)}, but this ftm-watch supports versions up to ${String(knownVersion)}: ` +
        'start the newer ftm-watch, or restore a backup (see docs/install.md)';
}

export interface BackupOptions {
  readonly force?: boolean;
  readonly keepPending?: boolean;
}

export async function storeBackup(
  file: string,
  { force = false, keepPending = false }: BackupOptions,
  terminal: Invocation,
): Promise<number> {
  const from = await storePathOf(terminal);
  const to = resolve(terminal.cwd, file);
  if (!existsSync(from)) throw new Error(`Cannot copy the store "${from}": it does not exist`);
  // The copy, without the undelivered messages, would replace the store that the daemon uses.
  if (existsSync(to) && realpathSync(from) === realpathSync(to))
    throw new Error(`Cannot copy the store "${from}" to itself: choose another file`);
  if (!force && existsSync(to))
    throw new Error(`Cannot write "${to}": the file already exists; use --force to overwrite it`);
  const withdrawn = await backupStore(from, to, { now: terminal.clock.now(), keepsPending: keepPending });
  if (withdrawn > 0)
    terminal.output.write(
      `The copy does not contain ${counted(withdrawn, 'undelivered notification')}. A daemon that is started with ` +
        'the copy reports all incidents that are still open. To keep the notifications, use --keep-pending.\n',
    );
  return storeCheck(to, terminal);
}
