import type { Config } from '../config/config.ts';
import type { FirmwareFact } from '../core/license/firmware.ts';
import type { ConnectorContext } from '../network/rest/context.ts';
import { sourcesThatRun, type SlowFactsBySource } from '../sources/registry.ts';
import type { PendingMemory } from '../sources/appliances/pending-tokens.ts';
import type { BudgetStore } from '../sources/registration/budget-store.ts';
import type { SlowSource } from '../sources/source.ts';

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
