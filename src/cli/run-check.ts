import { dirname, join } from 'node:path';

import { jsonFile } from '../store/json-file.ts';
import { newerStoreAt } from '../store/kept-past.ts';
import { unheardPolling } from '../watch/assess-log.ts';
import { check, CHECK_EXIT } from './check.ts';
import { loadOrExplain, type Terminal } from './terminal.ts';

export async function runCheck(path: string | undefined, json: boolean, terminal: Terminal): Promise<number> {
  const config = await loadOrExplain(path, terminal);
  if (config === null) return CHECK_EXIT.unknown;
  const newer = newerStoreAt(config.store.path);
  if (newer !== null) terminal.errors.write(`${newer}\n`);
  // The registration service counts calls: the daemon and this command keep one account.
  const budget = jsonFile(join(dirname(config.store.path), 'registration-budget.json'));
  const log = { kind: 'unheard', polling: unheardPolling(config) } as const;
  return check({ ...terminal, config, json, budget, log, progress: json ? null : terminal.progress });
}
