import { LOG_CHECKS } from '../checks/assess-log.ts';
import { INTERMITTENT_RULE } from '../checks/intermittent/finding.ts';
import { isFaultId, preconditionOf } from '../checks/registry.ts';
import type { Diagnosis } from '../engine/diagnosis.ts';
import type { Severity } from '../core/severity.ts';

/** What is confirmed and not over, as the daemon keeps it. */
export interface OpenIncident {
  readonly id: string;
  readonly cause: string;
  readonly subject: string;
  readonly severity: Severity;
  readonly summary: string;
  /** ISO 8601. */
  readonly since: string;
  /** ISO 8601: the last round that showed it. */
  readonly lastSeen: string;
}

/** An open incident of the daemon that one check does not show. */
export interface UnseenIncident extends OpenIncident {
  /** One check can contradict it. It cannot where it would take more connections, or the log of FortiAuthenticator. */
  readonly isContradicted: boolean;
}

interface DaemonView {
  readonly preconditions: readonly { readonly id: string; readonly findings: readonly { readonly rule: string }[] }[];
}

/** Notes are left out. */
export function unseenIncidents(
  own: Pick<Diagnosis, 'causes'>,
  daemon: { readonly diagnosis: DaemonView; readonly incidents: readonly OpenIncident[] },
): readonly UnseenIncident[] {
  return daemon.incidents
    .filter(({ severity }) => severity !== 'info')
    .filter(({ cause, subject }) => !own.causes.some((seen) => seen.id === cause && seen.subject === subject))
    .map((incident) => ({ ...incident, isContradicted: !isOutOfReach(incident, daemon.diagnosis) }));
}

function isOutOfReach({ cause }: OpenIncident, { preconditions }: DaemonView): boolean {
  if (!isFaultId(cause)) return false;
  const precondition = preconditionOf(cause);
  const now = preconditions.find(({ id }) => id === precondition);
  return LOG_CHECKS.includes(precondition) || now?.findings.some(({ rule }) => rule === INTERMITTENT_RULE) === true;
}
