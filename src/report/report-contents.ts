import type { CaptureResult } from '../capture/capture-result.ts';
import type { Plain } from '../config/print.ts';
import type { EpochMs } from '../core/clock.ts';
import type { Period } from '../core/time-text.ts';
import type { PollingState } from '../core/polling/state.ts';
import type { StoredHistory } from '../store/stored-history.ts';
import type { Cause, Diagnosis, PreconditionStatus } from '../engine/model.ts';
import type { Mask } from '../text/mask.ts';
import { createSecretFilter } from '../core/visible-text.ts';
import type { RoundObservations } from '../core/round.ts';
import type { JudgedRound } from '../checks/judgement.ts';

/** The complete input of a report, from which nothing has been removed yet. */
export interface ReportSources {
  readonly site: string;
  readonly writtenAt: EpochMs;
  /** The period of the report. History, log lines and the round are included if they are within the period. */
  readonly period: Period;
  readonly versions: Versions;
  readonly examination: RoundResult;
  /** The configuration as printed by `config print`. */
  readonly configuration: Readonly<Record<string, Plain>>;
  /** The result of the packet captures, or null if there are none. */
  readonly capture: CaptureResult | null;
  readonly storedHistory: StoredHistory;
  readonly logMemory: LogMemory;
  /** The values of the configured secrets, which are removed from all texts. */
  readonly secrets: readonly string[];
}

export interface Versions {
  readonly ftmWatch: string;
  readonly node: string;
  readonly openssl: string;
  readonly os: string;
}

/** The log lines that a daemon has stored. */
export type LogMemory =
  | { readonly kind: 'none' }
  | { readonly kind: 'unreadable'; readonly message: string }
  | {
      readonly kind: 'read';
      readonly state: PollingState;
      /**
       * The time since which the daemon has received the log. Null if the daemon was stopped or received no lines for
       * some time.
       */
      readonly listeningSince: EpochMs | null;
    };

/**
 * Removes personal data from a diagnosis. Only summaries, findings and evidence quote peers and logs. Impacts and
 * remedies never contain text from outside.
 */
export function maskedDiagnosis(diagnosis: Diagnosis, mask: Mask): Diagnosis {
  return {
    ...diagnosis,
    preconditions: diagnosis.preconditions.map((status) => maskedStatus(status, mask)),
    causes: diagnosis.causes.map((cause) => maskedCause(cause, mask)),
  };
}

export function maskedCause(cause: Cause, mask: Mask): Cause {
  return { ...cause, summary: mask.line(cause.summary), evidence: cause.evidence.map((line) => mask.line(line)) };
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

/** Masks all texts in JSON data except the keys, which never contain text from outside. */
export function maskedData(value: unknown, mask: Mask): unknown {
  if (typeof value === 'string') return mask.line(value);
  if (Array.isArray(value)) return value.map((item) => maskedData(item, mask));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, maskedData(item, mask)]));
}

/**
 * The minimum length of a secret that is removed. Shorter values and words such as "fortinet" also occur in a report
 * for other reasons. Removing them would make the report unreadable and reveal the secret.
 */
const SHORTEST_SECRET = 8;
const WORD = /^\p{L}{1,15}$/u;

/**
 * Returns the final filter for a finished text.
 *
 * @param secrets all secrets in the configuration; short secrets and plain words are not removed
 */
export function createSecretRemover(secrets: readonly string[]): (text: string) => string {
  return createSecretFilter(secrets.filter((secret) => secret.length >= SHORTEST_SECRET && !WORD.test(secret)));
}

const LONGEST = 60;

/**
 * Returns text for a file name that every system and mail program accepts: letters without accents, digits, `.`, `_`
 * and `-`.
 */
export function fileName(text: string): string {
  const plain = text
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^\w.-]+/gu, '-')
    .slice(0, LONGEST)
    .replaceAll(/^[-.]+|[-.]+$/gu, '');
  return plain === '' ? 'unnamed' : plain;
}

/** The observations of a round and their results. */
export interface RoundResult {
  readonly diagnosis: Diagnosis;
  readonly observations: RoundObservations;
  readonly judged: JudgedRound;
}
