import {
  type PreconditionState,
  sentenceStep,
  type Cause,
  type Diagnosis,
  type Finding,
} from '../../../src/engine/model.ts';
import type { EpochMs } from '../../../src/core/clock.ts';
import { CHECKS, isFaultId, preconditionOf, type CauseId, type PreconditionId } from '../../../src/checks/registry.ts';

const LICENSE_SERVER = 'fortitokenmobile.fortinet.com:443';

export function causeOf(id: CauseId, more: Partial<Cause> = {}): Cause {
  const { remedy = ['Do this.', 'Then do that.'] } = more;
  const precondition = isFaultId(id) ? preconditionOf(id) : 'tls-genuine';
  return {
    id,
    precondition,
    severity: 'critical',
    confidence: 'confirmed',
    subject: LICENSE_SERVER,
    product: null,
    summary: `Summary of ${id}`,
    impact: 'New tokens cannot be activated.',
    evidence: [`Evidence of ${id}`],
    consequences: consequencesOf(precondition),
    remedy,
    remedySteps: remedy.map(sentenceStep),
    ...more,
  };
}

/**
 * Returns a diagnosis whose states follow from its causes, except for those in `states`. `symptoms` are seen as well
 * and explained by one of the causes.
 */
export function diagnosisOf(
  at: EpochMs,
  causes: readonly Cause[],
  states: Partial<Record<PreconditionId, PreconditionState>> = {},
  symptoms: readonly Cause[] = [],
): Diagnosis {
  const blocked = new Set(causes.flatMap(({ consequences }) => consequences));
  const preconditions = CHECKS.map(({ id }) => ({
    id,
    state: states[id] ?? stateOf(id, causes, blocked),
    summary: '',
    blockedBy: [],
    // The daemon listens. The state is unknown because it waits for the first line.
    ...(id === 'polling' ? { waits: true as const } : {}),
    findings: symptoms.filter(({ precondition }) => precondition === id).map(findingOf),
  }));
  return {
    ready: preconditions.some(({ state }) => state === 'broken') ? 'not-ready' : 'ready',
    site: 'hq',
    at,
    preconditions,
    causes,
  };
}

function findingOf({ id, subject }: Cause): Finding {
  return {
    rule: 'r',
    subject,
    claim: '',
    expected: '',
    actual: '',
    level: 'broken',
    suggests: isFaultId(id) ? id : null,
  };
}

function stateOf(id: PreconditionId, causes: readonly Cause[], blocked: ReadonlySet<string>): PreconditionState {
  const own = causes.filter(({ precondition }) => precondition === id);
  if (own.some(({ severity }) => severity === 'critical')) return 'broken';
  if (blocked.has(id)) return 'blocked';
  return own.length > 0 ? 'warning' : 'ok';
}

function consequencesOf(id: string): readonly string[] {
  const direct = CHECKS.filter(({ dependsOn }) => dependsOn.some((one) => one.kind === 'needs' && one.by === id)).map(
    (precondition) => precondition.id,
  );
  return [...new Set(direct.flatMap((next) => [next, ...consequencesOf(next)]))];
}
