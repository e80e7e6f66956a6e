import type { CaptureResult } from '../capture/capture-result.ts';
import type { Plain } from '../config/print.ts';
import type { EpochMs } from '../core/clock.ts';
import type { Period } from '../core/period.ts';
import type { PollingState } from '../core/polling/state.ts';
import type { StoredHistory } from '../store/stored-history.ts';
import type { RoundResult } from './round-result.ts';

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
