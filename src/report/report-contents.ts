import type { CaptureResult } from '../capture/judge-capture.ts';
import type { Plain } from '../config/print.ts';
import type { EpochMs } from '../core/clock.ts';
import type { Period } from '../core/time-text.ts';
import type { PollingState } from '../core/polling/state.ts';
import type { StoredHistory } from '../store/stored-history.ts';
import type { Cause, Diagnosis, PreconditionStatus } from '../engine/model.ts';
import type { Mask } from '../text/mask.ts';
import { createSecretFilter } from '../core/visible-text.ts';
import type { RoundResult } from '../checks/round-result.ts';

export interface ReportSources {
  readonly site: string;
  readonly writtenAt: EpochMs;
  /** Log lines, history and the current round are included only if they fall within this period. */
  readonly period: Period;
  readonly versions: Versions;
  readonly examination: RoundResult;
  /** In the format of `config print`. */
  readonly configuration: Readonly<Record<string, Plain>>;
  /** Null if no captures were specified. */
  readonly capture: CaptureResult | null;
  readonly storedHistory: StoredHistory;
  readonly logMemory: LogMemory;
  /** Removed from all text in the report. */
  readonly secrets: readonly string[];
}

export interface Versions {
  readonly ftmWatch: string;
  readonly node: string;
  readonly openssl: string;
  readonly os: string;
}

export type LogMemory =
  | { readonly kind: 'none' }
  | { readonly kind: 'unreadable'; readonly message: string }
  | {
      readonly kind: 'read';
      readonly state: PollingState;
      /**
       * The daemon has received the log without interruption since this time. Null if the daemon was stopped or has not
       * received any lines for some time.
       */
      readonly listeningSince: EpochMs | null;
    };

export function maskedDiagnosis(diagnosis: Diagnosis, mask: Mask): Diagnosis {
  return {
    ...diagnosis,
    preconditions: diagnosis.preconditions.map((status) => maskedStatus(status, mask)),
    causes: diagnosis.causes.map((cause) => maskedCause(cause, mask)),
    ...(diagnosis.quantities === undefined
      ? {}
      : { quantities: diagnosis.quantities.map((one) => ({ ...one, subject: mask.line(one.subject) })) }),
  };
}

/** Impacts and commands never quote other hosts or logs. */
export function maskedCause(cause: Cause, mask: Mask): Cause {
  const { subject, observed, policyReport, summary, evidence, remedy, remedySteps } = cause;
  return {
    ...cause,
    subject: mask.line(subject),
    ...(observed === undefined ? {} : { observed: mask.line(observed) }),
    ...(policyReport === undefined ? {} : { policyReport: mask.line(policyReport) }),
    summary: mask.line(summary),
    evidence: evidence.map((line) => mask.line(line)),
    remedy: remedy.map((step) => mask.line(step)),
    remedySteps: remedySteps.map((step) => ({ ...step, text: mask.line(step.text) })),
  };
}

function maskedStatus(status: PreconditionStatus, mask: Mask): PreconditionStatus {
  return {
    ...status,
    summary: mask.line(status.summary),
    findings: status.findings.map((finding) => ({
      ...finding,
      subject: mask.line(finding.subject),
      claim: mask.line(finding.claim),
      ...(finding.quote === undefined ? {} : { quote: mask.line(finding.quote) }),
      expected: mask.line(finding.expected),
      ...(finding.actual === undefined ? {} : { actual: mask.line(finding.actual) }),
    })),
  };
}

/**
 * Shorter values and words such as "fortinet" also occur in other contexts, where removing them would make the report
 * unreadable and reveal the secret.
 */
const SHORTEST_SECRET = 8;
const WORD = /^\p{L}{1,15}$/u;

/** Returns a function that removes secrets, except short ones and plain words. */
export function createSecretRemover(secrets: readonly string[]): (text: string) => string {
  return createSecretFilter(secrets.filter((secret) => secret.length >= SHORTEST_SECRET && !WORD.test(secret)));
}

const LONGEST = 60;

/** Returns a file name that all operating systems and mail programs accept. */
export function fileName(text: string): string {
  const plain = text
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^\w.-]+/gu, '-')
    .slice(0, LONGEST)
    .replaceAll(/^[-.]+|[-.]+$/gu, '');
  return plain === '' ? 'unnamed' : plain;
}
