import { fileBudget } from '../units/file-budget.ts';
import { check, CHECK_EXIT } from './check.ts';
import { loadOrExplain, type Terminal } from './terminal.ts';

export async function runCheck(path: string | undefined, json: boolean, terminal: Terminal): Promise<number> {
  const config = await loadOrExplain(path, terminal);
  if (config === null) return CHECK_EXIT.unknown;
  return check({ ...terminal, config, json, budget: fileBudget(config.store.path), progress: json ? null : terminal.progress });
}
