import type { Memory } from './daemon/memory.ts';
import type { IdleCost } from './daemon/idle.ts';
import type { MinuteCost } from './daemon/minute.ts';
import type { PageCost } from './daemon/pages.ts';
import type { RoundCost } from './daemon/round.ts';
import type { ScrapeCost } from './daemon/scrape.ts';
import type { StartUp } from './daemon/start.ts';
import type { Machine } from './machine.ts';
import type { PluginCost } from './plugins/measure.ts';
import type { Comparison, Cost } from './probes/compare.ts';
import type { FloorKind } from './probes/kinds.ts';
import type { StackCost } from './stack/measure.ts';

/** The results of a run; null for parts that were not requested. */
export interface Results {
  readonly machine: Machine;
  readonly quick: boolean;
  readonly comparisons: readonly Comparison[];
  readonly floors: readonly { readonly kind: FloorKind; readonly concurrency: number; readonly cost: Cost }[];
  readonly idleRequests: readonly { readonly concurrency: number; readonly cost: Cost }[];
  readonly round: RoundCost | null;
  readonly minute: MinuteCost | null;
  readonly idle: IdleCost | null;
  readonly start: StartUp | null;
  readonly memory: Memory | null;
  readonly stack: readonly StackCost[];
  readonly scrapes: readonly ScrapeCost[];
  readonly pages: readonly PageCost[];
  readonly plugins: readonly PluginCost[];
}
