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

/** Everything that a report is made of, before anything is taken out. */
export interface ReportSources {
  readonly site: string;
  readonly writtenAt: EpochMs;
  /** What is told of: history and log lines of it, and the round when it lies within. */
  readonly period: Period;
  readonly versions: Versions;
  readonly examination: RoundResult;
  /** As `config print` shows it. */
  readonly configuration: Readonly<Record<string, Plain>>;
  /** What packet captures show; null: none was named. */
  readonly capture: CaptureResult | null;
  readonly storedHistory: StoredHistory;
  readonly logMemory: LogMemory;
  /** The values of the configuration's secrets, to be taken out wherever they stand. */
  readonly secrets: readonly string[];
}

export interface Versions {
  readonly ftmWatch: string;
  readonly node: string;
  readonly openssl: string;
  readonly os: string;
}

/** The log lines that a daemon has kept. */
export type LogMemory =
  | { readonly kind: 'none' }
  | { readonly kind: 'unreadable'; readonly message: string }
  | {
      readonly kind: 'read';
      readonly state: PollingState;
      /** Null: the daemon stopped a while ago, or has heard nothing for so long. */
      readonly listeningSince: EpochMs | null;
    };

/**
 * Without what tells who a person is. Summary, findings and evidence quote what peers and logs said; impact and remedy
 * are our own words.
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

/** Every text in data that is to become JSON; its keys are our own. */
export function maskedData(value: unknown, mask: Mask): unknown {
  if (typeof value === 'string') return mask.line(value);
  if (Array.isArray(value)) return value.map((item) => maskedData(item, mask));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, maskedData(item, mask)]));
}

/**
 * Shorter ones, and words such as "fortinet", stand in a report for other reasons: taken out, they would spoil it and
 * give themselves away.
 */
const SHORTEST_SECRET = 8;
const WORD = /^\p{L}{1,15}$/u;

/**
 * The last look at a finished text before it leaves the house.
 *
 * @param secrets all that the configuration knows; short ones and plain words are left alone
 */
export function createSecretRemover(secrets: readonly string[]): (text: string) => string {
  return createSecretFilter(secrets.filter((secret) => secret.length >= SHORTEST_SECRET && !WORD.test(secret)));
}

const LONGEST = 60;

/**
 * A text as part of a file's name that every system and mail program takes: letters without marks, digits, `.`, `_` and
 * `-`.
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

/** One round with everything that came of it. */
export interface RoundResult {
  readonly diagnosis: Diagnosis;
  readonly observations: RoundObservations;
  readonly judged: JudgedRound;
}
