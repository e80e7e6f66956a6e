import type { Assessment } from '../assessment.ts';
import type { Check } from '../check.ts';
import type { PreconditionState } from '../precondition-state.ts';
import type { Explanation } from '../explanation.ts';

export interface JudgedState {
  readonly check: Check;
  readonly assessment: Assessment;
  readonly state: PreconditionState;
  /** The broken preconditions at the root of it; empty unless `blocked`. */
  readonly blockedBy: readonly string[];
}

export type JudgedStates = ReadonlyMap<string, JudgedState>;

/** The state of every precondition: first by its own findings, then as what the deeper ones explain. */
export function judgeStates(assessments: readonly Assessment[], checks: readonly Check[]): JudgedStates {
  const states = new Map<string, JudgedState>();
  for (const check of byDepth(checks)) {
    const assessment = assessments.find(({ id }) => id === check.id) ?? missing(check);
    const state = ownState(assessment);
    const blockedBy = blockers(check, state, assessment, states);
    states.set(check.id, { check, assessment, state: blockedBy.length > 0 ? 'blocked' : state, blockedBy });
  }
  return states;
}

function byDepth(checks: readonly Check[]): readonly Check[] {
  const isLast = ({ judgedLast }: Check): boolean => judgedLast === true;
  return [...checks.filter((check) => !isLast(check)), ...checks.filter(isLast)];
}

function missing({ id }: Check): Assessment {
  return { id, kind: 'not-configured', findings: [], summary: 'Not configured' };
}

function ownState(assessment: Assessment): PreconditionState {
  if (assessment.kind === 'not-configured') return 'not-configured';
  const levels = new Set(assessment.findings.map((finding) => finding.level));
  if (levels.has('broken')) return 'broken';
  if (assessment.kind === 'unjudged' || levels.has('unknown')) return 'unknown';
  return levels.has('warning') ? 'warning' : 'ok';
}

function blockers(
  { provesItself, dependsOn, explainedBy }: Check,
  own: PreconditionState,
  assessment: Assessment,
  states: ReadonlyMap<string, JudgedState>,
): readonly string[] {
  if (own === 'not-configured') return [];
  if (provesItself === true && (own === 'ok' || own === 'warning')) return [];
  const explaining = explainedBy.filter(
    (explanation) => reaches(explanation, own, assessment) && explanation.when(assessment.findings),
  );
  const warnings = own === 'warning' ? explaining.filter((one) => isWarning(states.get(one.by), one)) : [];
  const roots = [...dependsOn, ...explaining.map(({ by }) => by)].flatMap((id) => rootsOf(states.get(id), id));
  return [...new Set([...warnings.map(({ by }) => by), ...roots])];
}

/** Whether there is something to explain. */
function reaches({ warnings }: Explanation, own: PreconditionState, { findings }: Assessment): boolean {
  if (own !== 'warning') return own === 'broken' || own === 'unknown';
  if (warnings !== 'suspected') return warnings === 'all';
  return findings.some(({ level, confidence }) => level === 'warning' && confidence === 'suspected');
}

function isWarning(judged: JudgedState | undefined, { byWarning }: Explanation): boolean {
  return judged?.state === 'warning' && judged.assessment.findings.some((finding) => byWarning?.(finding) === true);
}

function rootsOf(judged: JudgedState | undefined, id: string): readonly string[] {
  if (judged?.state === 'broken') return [id];
  return judged?.blockedBy ?? [];
}
