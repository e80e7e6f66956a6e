import { dirname, join } from 'node:path';

import { jsonFile } from '../system/json-file.ts';
import { newerStoreAt } from '../store/kept-past.ts';
import type { LogPart } from '../runtime/conclude.ts';
import { check, CHECK_EXIT } from './check.ts';
import { loadOrExplain, type Terminal } from './terminal.ts';

const UNHEARD: LogPart = {
  kind: 'unheard',
  reason: 'Not looked at: only the daemon listens to the log',
  isTrouble: false,
};

export async function runCheck(path: string | undefined, json: boolean, terminal: Terminal): Promise<number> {
  const config = await loadOrExplain(path, terminal);
  if (config === null) return CHECK_EXIT.unknown;
  const newer = newerStoreAt(config.store.path);
  if (newer !== null) terminal.errors.write(`${newer}\n`);
  // The registration service counts calls: the daemon and this command keep one account.
  const budget = jsonFile(join(dirname(config.store.path), 'registration-budget.json'));
  return check({ ...terminal, config, json, budget, log: UNHEARD, progress: json ? null : terminal.progress });
}
