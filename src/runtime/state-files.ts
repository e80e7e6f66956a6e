import { dirname, join } from 'node:path';
import type { Config } from '../config/config.ts';
import type { BudgetStore } from '../connectors/metered-call.ts';
import type { Millis } from '../core/clock.ts';
import { jsonFile } from '../system/json-file.ts';

/** Small pieces of state lie beside the store. */
export function stateFile({ store }: Pick<Config, 'store'>, name: string): string {
  return join(dirname(store.path), name);
}

/**
 * What the registration service allows is counted by the minute: with hundreds of licences a call waits for the next
 * one.
 */
const PATIENCE: Millis = 61_000;

export function registrationBudget(config: Pick<Config, 'store'>): BudgetStore {
  return { ...jsonFile(stateFile(config, 'registration-budget.json')), patience: PATIENCE };
}
