import type { EpochMs } from '../core/clock.ts';
import { isoTime } from '../core/time-text.ts';
import {
  actualOf,
  type Cause,
  type Diagnosis,
  type PreconditionStatus,
  type Finding,
  type Quantity,
} from '../engine/model.ts';
import { capital } from '../engine/words.ts';
import { headline } from './headline.ts';

/** Returned by `check --json` and `/api/v1/status`. Field names and their order must stay compatible. */
export interface DiagnosisJson {
  readonly ready: Diagnosis['ready'];
  readonly site: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly preconditions: readonly PreconditionJson[];
  readonly causes: readonly CauseJson[];
  /** Only numbers that are known, ordered by ID and subject. */
  readonly quantities: readonly Quantity[];
}

interface CauseJson extends Cause {
  /** The full name of the cause. The subjects of mails contain a short form. */
  readonly headline: string;
}

export interface PreconditionJson extends Pick<PreconditionStatus, 'id' | 'state' | 'summary' | 'blockedBy'> {
  readonly findings: readonly FindingJson[];
  /** True if the state is `unknown` and does not count for `ready`. */
  readonly isLeftOut: boolean;
}

export interface FindingJson extends Pick<Finding, 'rule' | 'subject' | 'claim' | 'expected'> {
  readonly actual: string;
  readonly quote: string | null;
  readonly fullNames: readonly string[];
  readonly address: string | null;
  /** Last observation (ISO 8601, UTC). */
  readonly at: string;
}

/** Each field is copied explicitly to prevent new fields in the internal types from being published by accident. */
export function diagnosisToJson({ ready, site, at, preconditions, causes, quantities = [] }: Diagnosis): DiagnosisJson {
  return {
    ready,
    site,
    at: new Date(at).toISOString(),
    preconditions: preconditions.map((status) => preconditionToJson(status, at)),
    causes: causes.map((cause) => ({ ...cause, headline: capital(headline(cause)) })),
    quantities: quantities.map(({ id, subject, value, unit }) => ({ id, subject, value, unit })),
  };
}

function preconditionToJson(
  { id, state, summary, blockedBy, isLeftOut, findings }: PreconditionStatus,
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
    isLeftOut: isLeftOut === true,
  };
}
