import type { Cause } from './cause.ts';
import type { Diagnosis, PreconditionStatus } from './diagnosis.ts';
import type { Finding } from './finding.ts';

/** The object of `check --json` and `/api/v1/status`: names and order are part of the contract. */
export interface DiagnosisJson {
  readonly ready: Diagnosis['ready'];
  readonly site: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly preconditions: readonly PreconditionJson[];
  readonly causes: readonly Cause[];
}

export interface PreconditionJson extends Pick<PreconditionStatus, 'id' | 'state' | 'summary' | 'blockedBy'> {
  readonly findings: readonly FindingJson[];
}

export type FindingJson = Pick<Finding, 'rule' | 'subject' | 'expected' | 'actual'>;

/** Field by field, so that what is added to the types inside never leaks into the contract unnoticed. */
export function diagnosisToJson({ ready, site, at, preconditions, causes }: Diagnosis): DiagnosisJson {
  return {
    ready,
    site,
    at: new Date(at).toISOString(),
    preconditions: preconditions.map(preconditionToJson),
    causes,
  };
}

function preconditionToJson({ id, state, summary, blockedBy, findings }: PreconditionStatus): PreconditionJson {
  return {
    id,
    state,
    summary,
    blockedBy,
    findings: findings.map(({ rule, subject, expected, actual }) => ({ rule, subject, expected, actual })),
  };
}
