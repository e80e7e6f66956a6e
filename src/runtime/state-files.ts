import { dirname, join } from 'node:path';
import type { Config } from '../config/config.ts';
import type { BudgetStore } from '../connectors/metered-call.ts';
import type { Millis } from '../core/clock.ts';
import { jsonFile } from '../system/json-file.ts';

export function stateFile({ store }: Pick<Config, 'store'>, name: string): string {
  return join(dirname(store.path), name);
}

/** The registration service's quota is per minute, so with hundreds of licences, a call waits for the next minute. */
const PATIENCE: Millis = 61_000;

export function registrationBudget(config: Pick<Config, 'store'>): BudgetStore {
  return { ...jsonFile(stateFile(config, 'registration-budget.json')), patience: PATIENCE };
}
