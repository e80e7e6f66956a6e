import { z } from 'zod';
import { type CallBudget, EMPTY_BUDGET } from '../../core/license/call-budget.ts';

const instants = z.array(z.number());
const count = z.number().nonnegative();

const budget = z.object({ calls: instants, errors: instants, failures: count, blockedUntil: count });

/** Reads a budget that was kept as JSON; whatever is not one reads as an empty budget. */
export function parseBudget(value: unknown): CallBudget {
  return budget.safeParse(value).data ?? EMPTY_BUDGET;
}
