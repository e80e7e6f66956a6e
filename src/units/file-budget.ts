import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import type { BudgetStore } from '../connectors/forticloud/budget-store.ts';

/**
 * Keeps the call budget of the registration service beside the store, so that `check` and the daemon count together and a
 * back-off outlasts a restart. A file that cannot be read is an empty budget; one that cannot be written costs only that.
 */
export function fileBudget(storePath: string): BudgetStore {
  const file = join(dirname(storePath), 'registration-budget.json');
  return {
    load: async () => {
      try {
        const parsed: unknown = JSON.parse(await readFile(file, 'utf8'));
        return parsed;
      } catch {
        return null;
      }
    },
    save: async (budget) => {
      const temporary = `${file}.${String(process.pid)}.tmp`;
      try {
        await mkdir(dirname(file), { recursive: true });
        await writeFile(temporary, JSON.stringify(budget));
        await rename(temporary, file);
      } catch {
        // The counts go on in memory of the run; the service's own quota stands behind them.
      }
    },
  };
}
