import type { AgentHealth } from '../core/agent.ts';
import type { OutsideFacts, LogFacts, UnitFacts } from './check.ts';
import { CHECKS } from './registry.ts';
import type { Assessment } from '../engine/model.ts';
import type { Picture } from '../connectors/picture.ts';
import { activationContextOf, type ActivationContext } from '../core/license/appliance.ts';
import { outageWarning } from '../core/license/firmware.ts';
import { notConfigured } from './judgement.ts';
import { isInvalid, type Timed } from '../core/round.ts';

export const AGENT_CHECKS: readonly string[] = CHECKS.filter(({ from }) => from === 'agent').map(({ id }) => id);

export const LOG_CHECKS: readonly string[] = CHECKS.filter(({ from }) => from === 'log').map(({ id }) => id);

export function assessLog(facts: LogFacts): readonly Assessment[] {
  return CHECKS.flatMap((check) => (check.from === 'log' ? [{ id: check.id, ...check.judge(facts) }] : []));
}

/** @param health null in a single round without the daemon */
export function assessAgent(health: AgentHealth | null): readonly Assessment[] {
  return CHECKS.flatMap((check) => {
    if (check.from !== 'agent') return [];
    return [{ id: check.id, ...(health === null ? notConfigured(NO_DAEMON) : check.judge(health)) }];
  });
}

const NO_DAEMON = 'Not checked, because no daemon is running with this store';

export function adjusted(probed: readonly Assessment[], outside: OutsideFacts): readonly Assessment[] {
  return probed.map((own) => CHECKS.find(({ id }) => id === own.id)?.adjust?.(own, outside) ?? own);
}

export function activationOf({ appliances: units }: Picture): ActivationContext {
  const named = units.map(({ config: { name }, known = [] }) => ({ name, known }));
  return { ...activationContextOf(units), outageWarning: outageWarning(named) };
}

export function assessUnits(facts: UnitFacts): readonly Assessment[] {
  return CHECKS.flatMap((check) => (check.from === 'units' ? [{ id: check.id, ...check.judge(facts) }] : []));
}

/**
 * Discards the results of an invalid round. Otherwise, ftm-watch would report its own problems as faults in the target.
 */
export function invalidWhenStalled(assessments: readonly Assessment[], round: Timed): readonly Assessment[] {
  if (!isInvalid(round)) return assessments;
  const summary =
    `ftm-watch itself stalled for ${(round.stalledMs / 1000).toFixed(1)} s during the round, so the results ` +
    'were discarded';
  return assessments.map(({ id, kind }) => ({
    id,
    kind: kind === 'judged' ? 'unjudged' : kind,
    findings: [],
    summary,
  }));
}
