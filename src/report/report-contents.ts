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

/** All input of a report, before anything is removed. */
export interface ReportSources {
  readonly site: string;
  readonly writtenAt: EpochMs;
  /** The reported period. It selects history and log lines, and the round if it is within the period. */
  readonly period: Period;
  readonly versions: Versions;
  readonly examination: RoundResult;
  /** The configuration as shown by `config print`. */
  readonly configuration: Readonly<Record<string, Plain>>;
  /** The result of the packet captures; null if none was given. */
  readonly capture: CaptureResult | null;
  readonly storedHistory: StoredHistory;
  readonly logMemory: LogMemory;
  /** Values of the configured secrets, which are removed everywhere. */
  readonly secrets: readonly string[];
}

export interface Versions {
  readonly ftmWatch: string;
  readonly node: string;
  readonly openssl: string;
  readonly os: string;
}

/** Log lines stored by a daemon. */
export type LogMemory =
  | { readonly kind: 'none' }
  | { readonly kind: 'unreadable'; readonly message: string }
  | {
      readonly kind: 'read';
      readonly state: PollingState;
      /** null if the daemon stopped a while ago, or has received no lines for as long. */
      readonly listeningSince: EpochMs | null;
    };

/**
 * Removes personal data. Summary, findings and evidence quote peers and logs. Impact and remedy contain only our own
 * text.
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

/** Masks every text in JSON data. Keys are our own and stay. */
export function maskedData(value: unknown, mask: Mask): unknown {
  if (typeof value === 'string') return mask.line(value);
  if (Array.isArray(value)) return value.map((item) => maskedData(item, mask));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, maskedData(item, mask)]));
}

/**
 * Shorter values and words such as "fortinet" also occur in a report for other reasons. Removing them would spoil the
 * report and reveal the secret.
 */
const SHORTEST_SECRET = 8;
const WORD = /^\p{L}{1,15}$/u;

/**
 * Returns the final filter for a finished text.
 *
 * @param secrets all secrets in the configuration; short ones and plain words are not removed
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

/** A round with its results. */
export interface RoundResult {
  readonly diagnosis: Diagnosis;
  readonly observations: RoundObservations;
  readonly judged: JudgedRound;
}
