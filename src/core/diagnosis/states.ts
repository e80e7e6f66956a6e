import type { Assessment } from '../assessment.ts';
import { isSmallShare } from '../comes-and-goes.ts';
import { PRECONDITIONS, type Precondition, type PreconditionId, type PreconditionState } from '../precondition.ts';
import { EXPLANATIONS, type Explanation } from './explanations.ts';

export interface JudgedState {
  readonly assessment: Assessment;
  readonly state: PreconditionState;
  /** The broken preconditions at the root of it; empty unless `blocked`. */
  readonly blockedBy: readonly PreconditionId[];
}

export type JudgedStates = ReadonlyMap<PreconditionId, JudgedState>;

/** The state of every precondition: first by its own findings, then as what the deeper ones explain. */
export function judgeStates(assessments: readonly Assessment[]): JudgedStates {
  const states = new Map<PreconditionId, JudgedState>();
  for (const precondition of byDepth()) {
    const assessment = assessments.find(({ id }) => id === precondition.id) ?? missing(precondition);
    const state = ownState(assessment);
    const blockedBy = blockers(precondition, state, assessment, states);
    states.set(precondition.id, { assessment, state: blockedBy.length > 0 ? 'blocked' : state, blockedBy });
  }
  return states;
}

/** `polling` comes last: everything that FortiAuthenticator complains of may be explained by something else. */
function byDepth(): readonly Precondition[] {
  return [...PRECONDITIONS].sort((a, b) => Number(a.id === 'polling') - Number(b.id === 'polling'));
}

function missing({ id }: Precondition): Assessment {
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
  precondition: Precondition,
  own: PreconditionState,
  assessment: Assessment,
  states: ReadonlyMap<PreconditionId, JudgedState>,
): readonly PreconditionId[] {
  if (own === 'not-configured') return [];
  // One good address proves the way, whatever a second resolver says; further up a good answer proves nothing, since an
  // inspecting device answers in the place of the server.
  if (precondition.id === 'reachability' && (own === 'ok' || own === 'warning')) return [];
  const explained = EXPLANATIONS.filter(
    (explanation) =>
      explanation.id === precondition.id &&
      reaches(explanation, own, assessment) &&
      explanation.when(assessment.findings),
  ).map(({ by }) => by);
  const small = own === 'warning' ? explained.filter((id) => hasSmallShare(states.get(id))) : [];
  const roots = [...small, ...[...precondition.dependsOn, ...explained].flatMap((id) => rootsOf(states.get(id), id))];
  return [...new Set(roots)];
}

/** Whether there is something to explain. */
function reaches({ warnings }: Explanation, own: PreconditionState, { findings }: Assessment): boolean {
  if (own !== 'warning') return own === 'broken' || own === 'unknown';
  if (warnings !== 'suspected') return warnings === 'all';
  return findings.some(({ level, confidence }) => level === 'warning' && confidence === 'suspected');
}

/** Enough to explain a suspicion, which raises nothing. */
function hasSmallShare(judged: JudgedState | undefined): boolean {
  return judged?.state === 'warning' && judged.assessment.findings.some(isSmallShare);
}

function rootsOf(judged: JudgedState | undefined, id: PreconditionId): readonly PreconditionId[] {
  if (judged?.state === 'broken') return [id];
  return judged?.blockedBy ?? [];
}
