import type { Assessment } from '../assessment.ts';
import type { Cause } from '../cause.ts';
import type { EpochMs } from '../clock.ts';
import type { Diagnosis, PreconditionStatus, Readiness } from '../diagnosis.ts';
import { PRECONDITIONS, titleOf } from '../precondition.ts';
import { findCauses, type CauseContext } from './causes.ts';
import { settleShutPort } from './settle-shut-port.ts';
import { judgeStates, type JudgedState, type JudgedStates } from './states.ts';

export interface DiagnosisContext extends CauseContext {
  readonly site: string;
  readonly at: EpochMs;
}

/**
 * Reasons over the whole path: a broken precondition blocks those that depend on it, one fault gives one cause, and
 * what it explains is named as its consequences.
 */
export function diagnose(assessments: readonly Assessment[], context: DiagnosisContext): Diagnosis {
  const states = judgeStates(settleShutPort(assessments));
  const causes = findCauses(states, context);
  return {
    ready: readiness(states),
    site: context.site,
    at: context.at,
    preconditions: PRECONDITIONS.flatMap(({ id }) => states.get(id) ?? []).map((judged) => status(judged, causes)),
    causes,
  };
}

/** What is blocked has something broken at its root. */
function readiness(states: JudgedStates): Readiness {
  // A log that is waited for since the start has said nothing, and the other preconditions prove what they prove
  // without it.
  const counting = [...states].filter(
    ([id, { state, assessment }]) => !(id === 'polling' && state === 'unknown' && assessment.kind === 'judged'),
  );
  const all = new Set(counting.map(([, { state }]) => state));
  if (all.has('broken')) return 'not-ready';
  return all.has('unknown') ? 'unknown' : 'ready';
}

function status(judged: JudgedState, causes: readonly Cause[]): PreconditionStatus {
  const { assessment, state, blockedBy } = judged;
  return { id: assessment.id, state, summary: summaryOf(judged, causes), blockedBy, findings: assessment.findings };
}

function summaryOf({ assessment, state, blockedBy }: JudgedState, causes: readonly Cause[]): string {
  switch (state) {
    case 'ok':
    case 'not-configured':
      return assessment.summary;
    case 'broken':
    case 'warning':
      return causes.find((cause) => cause.precondition === assessment.id)?.summary ?? findingSummary(assessment, state);
    case 'unknown':
      return findingSummary(assessment, 'unknown');
    case 'blocked':
      return `Not judged: fix ${blockedBy.map(titleOf).join(' and ')} first`;
  }
}

function findingSummary(assessment: Assessment, level: 'broken' | 'warning' | 'unknown'): string {
  const finding = assessment.findings.find((candidate) => candidate.level === level);
  return finding === undefined ? assessment.summary : `${finding.subject}: ${finding.actual}`;
}
