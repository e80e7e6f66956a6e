import type { Everything, LogFacts, UnitFacts } from './check.ts';
import { CHECKS } from './registry.ts';
import type { Assessment } from '../engine/model.ts';
import type { Picture } from '../connectors/picture.ts';
import { activationContextOf, type ActivationContext } from '../core/license/appliance.ts';
import { outageWarning } from '../core/license/firmware.ts';
import { isInvalid, type Timed } from '../core/round.ts';

/** The preconditions that are judged by the log: again with every round. */
export const LOG_CHECKS: readonly string[] = CHECKS.filter(({ from }) => from === 'log').map(({ id }) => id);

/** What the log says by itself, or that nobody has listened to it. */
export function assessLog(facts: LogFacts): readonly Assessment[] {
  return CHECKS.flatMap((check) => (check.from === 'log' ? [{ id: check.id, ...check.judge(facts) }] : []));
}

/** What a round found out, with what was found out besides. */
export function adjusted(probed: readonly Assessment[], everything: Everything): readonly Assessment[] {
  return probed.map((own) => CHECKS.find(({ id }) => id === own.id)?.adjust?.(own, everything) ?? own);
}

/** What impact texts depend on, as far as an appliance told. */
export function activationOf({ appliances: units }: Picture): ActivationContext {
  const named = units.map(({ config: { name }, known = [] }) => ({ name, known }));
  return { ...activationContextOf(units), outageWarning: outageWarning(named) };
}

/** What the appliances, their registration and the firewall mean for their preconditions. Pure. */
export function assessUnits(facts: UnitFacts): readonly Assessment[] {
  return CHECKS.flatMap((check) => (check.from === 'units' ? [{ id: check.id, ...check.judge(facts) }] : []));
}

/** Takes back what a void round found: ftm-watch never reports its own trouble as the target's. */
export function invalidWhenStalled(assessments: readonly Assessment[], round: Timed): readonly Assessment[] {
  if (!isInvalid(round)) return assessments;
  const summary =
    `ftm-watch itself stalled for ${(round.stalledMs / 1000).toFixed(1)} s during the round: nothing was ` + 'judged';
  return assessments.map(({ id, kind }) => ({
    id,
    kind: kind === 'judged' ? 'unjudged' : kind,
    findings: [],
    summary,
  }));
}
