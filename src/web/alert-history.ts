import type { AuditEntry, KeptAuditEntry, RefusedChanges } from '../core/audit.ts';
import type { EpochMs } from '../core/clock.ts';
import type { Incident } from '../engine/incident/incident.ts';
import type { OutboxEntry } from '../engine/incident/journal.ts';

/** What happened and who was told: what the daemon has in mind, and what it has kept of the last days. */
export interface AlertHistory {
  /** Every open one, and those that ended within a week, in any order. */
  readonly incidents: readonly Incident[];
  /** Notifications on their way and recent, latest first. */
  readonly outboxEntries: readonly OutboxEntry[];
  /** The latest changes about each of these incidents, latest first. */
  readonly changes: readonly AuditEntry[];
  /** False: the history cannot be used at present; what has ended and what was sent may be missing. */
  readonly complete: boolean;
}

/** Incidents of any age, open ones first, then the latest first. */
export interface FoundIncidents {
  readonly incidents: readonly Incident[];
  /** There are more than were asked for. */
  readonly more: boolean;
  /** False: the history cannot be used at present; what has ended may be missing. */
  readonly complete: boolean;
}

/** All that is known of one incident. */
export interface IncidentRecord {
  readonly incident: Incident;
  /** What was to be told of it, latest first. */
  readonly outboxEntries: readonly OutboxEntry[];
  /** What people changed at its page, and its silences, latest first: of each account the first and the latest. */
  readonly changes: readonly AuditEntry[];
  /** How many changes more there are. */
  readonly omittedChanges: number;
  readonly complete: boolean;
}

/** Which changes are asked for; null: any. */
export interface AuditQuery {
  /** Those before the one with this id. */
  readonly before: number | null;
  /** Those at the page of this incident. */
  readonly incident: string | null;
}

/** Part of the audit trail. */
export interface FoundChanges {
  /** Latest first. */
  readonly changes: readonly KeptAuditEntry[];
  /** What accounts were refused, latest first. */
  readonly refused: readonly RefusedChanges[];
  /** There are earlier changes. */
  readonly more: boolean;
  /** False: the history cannot be used at present. */
  readonly complete: boolean;
}

/** When notifications wait by plan. */
export interface MaintenancePlan {
  /** When the window that is open ends; null: none is open. */
  readonly until: EpochMs | null;
  /** null: none is planned. */
  readonly next: { readonly from: EpochMs; readonly until: EpochMs } | null;
}
