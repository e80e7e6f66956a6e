import type { Assessment } from '../assessment.ts';
import type { Cause } from '../cause.ts';
import type { Diagnosis, PreconditionStatus, Readiness } from '../diagnosis.ts';
import type { Finding } from '../finding.ts';
import { findCauses, type CauseContext } from './causes.ts';
import { judgeStates, type JudgedState, type JudgedStates } from './states.ts';

export interface DiagnosisContext extends CauseContext {
  readonly site: string;
}

/**
 * Reasons over the whole path: a broken precondition blocks those that depend on it, one fault gives one cause, and
 * what it explains is named as its consequences.
 */
export function diagnose(assessments: readonly Assessment[], context: DiagnosisContext): Diagnosis {
  const states = judgeStates(refined(assessments, context), context.checks);
  const found = findCauses(states, context);
  const causes = found.map(({ cause }) => cause);
  return {
    ready: readiness(states),
    site: context.site,
    at: context.at,
    preconditions: context.checks
      .flatMap(({ id }) => states.get(id) ?? [])
      .map((judged) => status(judged, { causes, states })),
    causes,
    corroborated: found.flatMap(({ cause: { id, subject }, isCorroborated }) =>
      isCorroborated ? [{ id, subject }] : [],
    ),
    ...(context.configFile === undefined ? {} : { configFile: context.configFile }),
  };
}

/** Each check that was judged has its say on what the others left open. */
function refined(
  assessments: readonly Assessment[],
  { checks, refinedBy }: Pick<DiagnosisContext, 'checks' | 'refinedBy'>,
): readonly Assessment[] {
  return checks.reduce((all, { id, refines }) => {
    const own = all.find((assessment) => assessment.id === id);
    if (refines === undefined || own?.kind !== 'judged') return all;
    const refine = refines(refinedBy?.get(id) ?? own.findings);
    return all.map((assessment) => ({ ...assessment, findings: assessment.findings.map(refine) }));
  }, assessments);
}

/** What is blocked has something broken at its root. */
function readiness(states: JudgedStates): Readiness {
  // What has heard nothing yet says nothing, and the others prove what they prove without it.
  const counting = [...states.values()].filter(
    ({ check, state, assessment }) =>
      !(check.onlyListens === true && state === 'unknown' && assessment.kind === 'judged'),
  );
  const all = new Set(counting.map(({ state }) => state));
  if (all.has('broken')) return 'not-ready';
  return all.has('unknown') ? 'unknown' : 'ready';
}

function status(judged: JudgedState, whole: Whole): PreconditionStatus {
  const { assessment, state, blockedBy } = judged;
  return { id: assessment.id, state, summary: summaryOf(judged, whole), blockedBy, findings: assessment.findings };
}

interface Whole {
  readonly causes: readonly Cause[];
  readonly states: JudgedStates;
}

function summaryOf({ check, assessment, state, blockedBy }: JudgedState, { causes, states }: Whole): string {
  switch (state) {
    case 'ok':
    case 'not-configured':
      return assessment.summary;
    case 'broken':
    case 'warning':
      return causes.find((cause) => cause.precondition === assessment.id)?.summary ?? findingSummary(assessment, state);
    case 'unknown':
      return findingSummary(assessment, 'unknown');
    case 'blocked': {
      const deeper = blockedBy.map((id) => states.get(id)?.check.title ?? id).join(' and ');
      // What depends on nothing was judged all the same, and shows the same fault from another side.
      const own = check.dependsOn.length > 0 ? undefined : worstOf(assessment);
      return own === undefined ? `Skipped: depends on ${deeper}` : `${own.claim} Same fault as: ${deeper}.`;
    }
  }
}

function worstOf({ findings }: Assessment): Finding | undefined {
  return (['broken', 'warning', 'unknown'] as const)
    .map((level) => findings.find((finding) => finding.level === level))
    .find((finding) => finding !== undefined);
}

function findingSummary(assessment: Assessment, level: 'broken' | 'warning' | 'unknown'): string {
  const finding = assessment.findings.find((candidate) => candidate.level === level);
  return finding === undefined ? assessment.summary : `${finding.subject}: ${finding.claim}`;
}
