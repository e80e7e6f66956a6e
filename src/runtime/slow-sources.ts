import { dirname, join } from 'node:path';
import type { Config } from '../config/config.ts';
import type { FirmwareFact } from '../core/license/firmware.ts';
import type { ConnectorContext } from '../network/rest/json-exchange.ts';
import { sourcesThatRun, type SlowFactsBySource } from '../round/registry.ts';
import type { PendingMemory } from '../connectors/unit-observation.ts';
import type { BudgetStore } from '../connectors/metered-call.ts';
import type { SlowSource } from '../connectors/source.ts';
import type { Millis } from '../core/clock.ts';
import { jsonFile } from '../system/json-file.ts';

/** What slow sources are handed besides their settings: what the others said last among it. */
export interface SlowTools extends SlowFactsBySource {
  readonly budget: BudgetStore;
  readonly pendingTokens: PendingMemory;
  readonly firmwareFacts: readonly FirmwareFact[];
}

export type AnySlowSource = SlowSource<string, object, unknown, SlowTools, Config>;

const SLOW_SOURCES: readonly AnySlowSource[] = sourcesThatRun('appliance', 'registration');

/** What is known before any was asked. */
export function unseenPicture(config: Config): SlowFactsBySource;
export function unseenPicture(config: Config): Readonly<Record<string, unknown>> {
  return Object.fromEntries(SLOW_SOURCES.map((source) => [source.id, source.unseen(config)]));
}

export function configuredSources(config: Config): readonly AnySlowSource[] {
  return SLOW_SOURCES.filter((source) => source.isConfigured(config));
}

/** Asks each of them once. Never rejects. The overload says what a loop cannot: whose facts have which type. */
export async function askEach(
  sources: readonly AnySlowSource[],
  config: Config,
  look: ConnectorContext & SlowTools,
): Promise<Partial<SlowFactsBySource>>;
export async function askEach(
  sources: readonly AnySlowSource[],
  config: Config,
  look: ConnectorContext & SlowTools,
): Promise<Readonly<Record<string, unknown>>> {
  return Object.fromEntries(
    await Promise.all(sources.map(async (source) => [source.id, await source.observe(config, look)] as const)),
  );
}

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
