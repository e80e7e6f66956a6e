import type { Cause } from '../cause.ts';
import type { Check } from '../check.ts';
import type { Diagnosis, PreconditionStatus } from '../diagnosis.ts';
import type { Finding } from '../finding.ts';
import { sameCause } from './incident.ts';
import type { CausePresence } from './incident.ts';

/** One round as the incidents see it. */
export interface RoundView {
  readonly diagnosis: Diagnosis;
  /** Bounded, without doubles. */
  readonly causes: readonly Cause[];
  readonly fresh: readonly string[] | null;
  /** All that there are. */
  readonly checks: readonly Check[];
}

/** More causes than any configuration can name; beyond it somebody is filling our memory. */
const MAX_CAUSES = 200;

export function roundView(
  { diagnosis, fresh }: Pick<RoundView, 'diagnosis' | 'fresh'>,
  checks: readonly Check[],
  bound: (cause: Cause) => Cause,
): RoundView {
  const causes: Cause[] = [];
  for (const cause of diagnosis.causes.slice(0, MAX_CAUSES).map(bound)) {
    if (!causes.some((other) => sameCause(other, cause))) causes.push(cause);
  }
  return { diagnosis, causes, fresh, checks };
}

/** What this round says about a cause. Only a precondition that was judged can say that the cause is gone. */
export function presenceOf(cause: Cause, view: RoundView): CausePresence {
  if (!isFresh(cause.precondition, view)) return 'unjudged';
  if (view.causes.some((other) => sameCause(other, cause))) return 'seen';
  const status = view.diagnosis.preconditions.find(({ id }) => id === cause.precondition);
  return status === undefined ? 'unjudged' : presenceOfMissing(cause, status);
}

function presenceOfMissing(cause: Cause, status: PreconditionStatus): CausePresence {
  switch (status.state) {
    case 'unknown':
      return 'unjudged';
    case 'blocked':
      return 'hidden';
    case 'ok':
    case 'warning':
    case 'broken':
      if (status.findings.some((finding) => shows(finding, cause))) return 'hidden';
      return status.findings.some(({ subject, level }) => level === 'unknown' && subject === cause.subject)
        ? 'unjudged'
        : 'absent';
    case 'not-configured':
      return 'absent';
  }
}

/** It is still there, as evidence of a graver cause that has the same reason elsewhere or explains it. */
export function showsStill(cause: Cause, view: RoundView): boolean {
  return view.diagnosis.preconditions.some(
    ({ id, findings }) => id === cause.precondition && findings.some((finding) => shows(finding, cause)),
  );
}

function shows({ subject, suggests, level }: Finding, cause: Cause): boolean {
  return subject === cause.subject && suggests === cause.id && (level === 'broken' || level === 'warning');
}

function isFresh(precondition: string, view: RoundView): boolean {
  return view.fresh === null || view.fresh.includes(precondition);
}
