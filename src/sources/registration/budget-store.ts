import type { Millis } from '../../core/clock.ts';
import type { CallBudget, CallLimits } from '../../core/license/call-budget.ts';

/** Where the budget is kept between rounds and restarts. */
export interface BudgetStore {
  /** What was saved last, as it was parsed from JSON; anything else reads as an empty budget. */
  load(): Promise<unknown>;
  save(budget: CallBudget): Promise<void>;
  /** @default REGISTRATION_LIMITS */
  readonly limits?: CallLimits;
  /**
   * How long a call may wait for its turn while the service works: a hundred licences fit into a minute,
   * more are asked for in the next. @default 0
   */
  readonly patience?: Millis;
}
