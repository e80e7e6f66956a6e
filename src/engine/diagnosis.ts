import type { PreconditionState } from './precondition-state.ts';
import type { Cause } from './cause.ts';
import type { EpochMs } from '../core/clock.ts';
import type { Finding } from './finding.ts';

export type Readiness = 'ready' | 'not-ready' | 'unknown';

export interface PreconditionStatus {
  readonly id: string;
  readonly state: PreconditionState;
  /** One sentence. */
  readonly summary: string;
  /** The preconditions that must be fixed first; empty unless `blocked`. */
  readonly blockedBy: readonly string[];
  readonly findings: readonly Finding[];
}

/** What is true now: the outcome of one round. Its JSON form is the contract's `check --json`. */
export interface Diagnosis {
  readonly ready: Readiness;
  readonly site: string;
  readonly at: EpochMs;
  /** All of them, in the order of the path. */
  readonly preconditions: readonly PreconditionStatus[];
  /** Most severe first; at most one critical cause for one fault. */
  readonly causes: readonly Cause[];
  /** The causes that two witnesses agree on: another look would prove nothing more. No part of the contract. */
  readonly corroborated?: readonly Pick<Cause, 'id' | 'subject'>[];
  /** The file of the configuration that it was made under; without, the defaults were. No part of the contract. */
  readonly configFile?: string;
}
