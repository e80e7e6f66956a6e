import type { EpochMs } from '../core/clock.ts';
import { isoTime } from '../core/time-text.ts';
import { actualOf, type Cause, type Diagnosis, type PreconditionStatus, type Finding } from './model.ts';

/** The object returned by `check --json` and `/api/v1/status`. Field names and order are part of the contract. */
export interface DiagnosisJson {
  readonly ready: Diagnosis['ready'];
  readonly site: string;
  /** The time of the diagnosis (ISO 8601, UTC). */
  readonly at: string;
  readonly preconditions: readonly PreconditionJson[];
  readonly causes: readonly Cause[];
}

export interface PreconditionJson extends Pick<PreconditionStatus, 'id' | 'state' | 'summary' | 'blockedBy'> {
  readonly findings: readonly FindingJson[];
}

export interface FindingJson extends Pick<Finding, 'rule' | 'subject' | 'claim' | 'expected'> {
  readonly actual: string;
  readonly quote: string | null;
  readonly fullNames: readonly string[];
  readonly address: string | null;
  /** When the finding was last observed (ISO 8601, UTC). */
  readonly at: string;
}

/** Copies each field separately, so that new fields in the internal types do not become part of the contract. */
export function diagnosisToJson({ ready, site, at, preconditions, causes }: Diagnosis): DiagnosisJson {
  return {
    ready,
    site,
    at: new Date(at).toISOString(),
    preconditions: preconditions.map((status) => preconditionToJson(status, at)),
    causes,
  };
}

function preconditionToJson(
  { id, state, summary, blockedBy, findings }: PreconditionStatus,
  roundAt: EpochMs,
): PreconditionJson {
  return {
    id,
    state,
    summary,
    blockedBy,
    findings: findings.map((finding) => ({
      rule: finding.rule,
      subject: finding.subject,
      claim: finding.claim,
      expected: finding.expected,
      actual: actualOf(finding),
      quote: finding.quote ?? null,
      fullNames: finding.fullNames ?? [],
      address: finding.facts?.address ?? null,
      at: isoTime(finding.at ?? roundAt),
    })),
  };
}
