import type { LogFacts } from './log-facts.ts';
import { CHECKS } from './registry.ts';
import type { Assessment } from '../engine/assessment.ts';

/** The preconditions that are judged by the log: again with every round. */
export const LOG_CHECKS: readonly string[] = CHECKS.filter(({ from }) => from === 'log').map(({ id }) => id);

/** What the log says by itself, or that nobody has listened to it. */
export function assessLog(facts: LogFacts): readonly Assessment[] {
  return CHECKS.flatMap((check) => (check.from === 'log' ? [{ id: check.id, ...check.judge(facts) }] : []));
}

/** What the log adds to what the probes found out. */
export function withLog(
  probed: readonly Assessment[],
  facts: Extract<LogFacts, { readonly kind: 'heard' }>,
): readonly Assessment[] {
  return probed.map((own) => CHECKS.find(({ id }) => id === own.id)?.withLog?.(own, facts) ?? own);
}
