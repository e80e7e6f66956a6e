import type { PeerObservation } from '../core/round.ts';
import type { HttpBindings } from '@hono/node-server';
import type { Logger } from 'pino';
import type { Certificate } from '../core/certificate.ts';
import type {
  AuditEntry,
  ChangeRefusal,
  LoginResult,
  RefusedChange,
  KeptAuditEntry,
  RefusedChanges,
} from '../core/audit.ts';
import type { Clock, EpochMs, Millis } from '../core/clock.ts';
import type { AvailabilityBar, AvailabilityDay, AvailabilityPeriod } from '../engine/availability.ts';
import type { IncidentPast } from '../document/incident-story.ts';
import type { Diagnosis } from '../engine/model.ts';
import type { Silence, Incident, OutboxEntry } from '../engine/incident/incident.ts';
import type { Verdict } from '../checks/tls-genuine/chain-case.ts';
import type { IncidentQuery } from './incident-json.ts';
import type { Role } from '../config/schema/web.ts';
import type { ChannelState } from '../notify/channels/channel.ts';
import type { MaintenancePlan } from '../notify/maintenance.ts';
import type { Severity } from '../core/severity.ts';

/**
 * What the web server needs from the daemon. All members except those that return a promise return immediately and
 * never throw.
 */
export interface WebSources {
  /** Resolves when the first data is available. The ports are opened before that. */
  readonly begun: Promise<void>;
  /** True as soon as changes would be lost, because the daemon is being reloaded or stopped. */
  isClosed(): boolean;
  site(): string;
  timezone(): string;
  /** The status page's base URL. Null if it is not configured. */
  publicUrl(): string | null;
  readonly version: string;
  /** Path of this daemon's control socket. */
  controlSocket(): string;
  /** Null before the first round has finished. */
  diagnosis(): Diagnosis | null;
  /** For how long a diagnosis counts. */
  knownFor(): Millis;
  alertHistory(): AlertHistory;
  findIncidents(query: IncidentQuery, limit: number): FoundIncidents;
  /** As `findIncidents`, but without blocking the event loop for long lists. */
  collectIncidents(query: IncidentQuery, limit: number): Promise<FoundIncidents>;
  /** Returns the same object until an incident changes. */
  incidentsVersion(): object;
  /** Null if the ID is unknown or the incident was deleted after the retention period. */
  incidentRecord(id: string): IncidentRecord | null;
  /** Includes the addresses of the units' interfaces and the translated addresses that firewalls see. */
  unitAddresses(): readonly string[];
  /** Stops reminders until the incident ends or its cause changes. Returns false if no open incident has this ID. */
  acknowledge(id: string, by: string): boolean;
  /** Returns false if no open incident has this ID. */
  unacknowledge(id: string): boolean;
  attachEvidence(id: string, evidence: readonly string[]): boolean;
  maintenance(): MaintenancePlan;
  /** May also contain silences that have just expired. */
  silences(): readonly Silence[];
  silence(request: Omit<Silence, 'id'>): Silence;
  unsilence(id: string): boolean;
  metrics(): Promise<MetricsText>;
  noteLogin(result: LoginResult): void;
  noteChange(entry: AuditEntry): void;
  /** If the account's role does not allow the change, the refusal is also recorded in the audit trail. */
  noteRefusal(refused: RefusedChange, why: ChangeRefusal): void;
  audit(asked: AuditQuery, limit: number): FoundChanges;
  reload(): Promise<ReloadOutcome>;
  /** Stops early if the signal is aborted. */
  probe(request: ProbeRequest, signal: AbortSignal): Promise<ProbeAnswer>;
  probes(): readonly DiscoveredProbe[];
  health(): Health;
  /** From the latest round, with one entry for each address of a target. */
  certificates(): readonly SeenCertificate[];
  activity(): Activity;
  chartData(): ChartData;
  rangeData(range: ChartRange): RangeData;
  /** The last 90 days in the site's time zone. */
  lastDays(): readonly AvailabilityDay[];
  /** Since when the state is unknown. Null if it is not, or if this is not known. */
  unknownSince(): EpochMs | null;
  /** Each year, followed by its months, latest first. Empty if the history is unavailable. */
  availability(): readonly AvailabilityPeriod[];
}

export type ReloadOutcome =
  | { readonly kind: 'taken' }
  | { readonly kind: 'refused'; readonly problems: readonly string[] };

export interface Health {
  /** True after the first round, until the daemon stops. */
  readonly ready: boolean;
  /** Why the daemon is not ready, and other problems such as a read-only store or undeliverable mail. */
  readonly problems: readonly string[];
}

export interface SeenCertificate {
  readonly target: string;
  readonly address: string;
  readonly verdict: Verdict;
  /** Starts with the leaf. Empty if no certificate was received. */
  readonly chain: readonly Certificate[];
  /** The learned chain, starting with the leaf. Empty if no chain has been learned. */
  readonly trusted: readonly Certificate[];
}

export interface Activity {
  readonly startedAt: EpochMs;
  readonly lastRound: { readonly at: EpochMs; readonly durationMs: Millis } | null;
  /** Null if the daemon is stopping. */
  readonly nextRound: EpochMs | null;
  readonly lastReload: { readonly at: EpochMs; readonly taken: boolean } | null;
  readonly storeWritable: boolean;
  readonly notificationsPending: number;
  /** The channels that publish the current state. */
  readonly states: readonly ChannelState[];
  /** A warning that no recipient for notifications is configured. */
  readonly noChannel: string | null;
  /** Other agents, as last read. */
  readonly peers: readonly PeerObservation[];
  /** Null if the daemon does not receive logs. */
  readonly log: { readonly lastLineAt: EpochMs | null } | null;
}

export interface Caller {
  /** Null on the control socket, and for requests that don't require a login. */
  readonly name: string | null;
  readonly role: Role;
  readonly address: string | null;
}

/** A caller without a login can enter a name, which is marked as unverified. */
export function accountOf({ name }: Caller, claimed: string | null): string {
  if (name !== null) return name;
  return claimed === null ? 'local' : `local (claimed: ${claimed})`;
}

export interface AlertHistory {
  /** All open incidents and the latest incidents that ended within the last week, in any order. */
  readonly incidents: readonly Incident[];
  /** Number of incidents that ended within the last week and are not listed. */
  readonly omitted: number;
  readonly outboxEntries: readonly OutboxEntry[];
  /** False if the history is unavailable. In that case, resolved incidents and sent notifications may be missing. */
  readonly complete: boolean;
}

/** Open incidents come first, followed by resolved incidents from newest to oldest. */
export interface FoundIncidents {
  readonly incidents: readonly Incident[];
  readonly more: boolean;
  /** False if the history is unavailable. In that case, resolved incidents may be missing. */
  readonly complete: boolean;
}

export interface IncidentRecord extends IncidentPast {
  readonly outboxEntries: readonly OutboxEntry[];
}

export interface AuditQuery {
  /** Changes before the change with this ID. */
  readonly before: number | null;
  /** Changes on this incident's page. */
  readonly incident: string | null;
}

export interface FoundChanges {
  /** Newest first. */
  readonly changes: readonly KeptAuditEntry[];
  readonly refused: readonly RefusedChanges[];
  readonly more: boolean;
  readonly complete: boolean;
}

export const CHART_RANGES = ['24h', '7d', '30d', '90d'] as const;

export type ChartRange = (typeof CHART_RANGES)[number];

export const USUAL_RANGE: ChartRange = '7d';

export function isChartRange(text: string): text is ChartRange {
  return CHART_RANGES.some((range) => range === text);
}

/** The intervals into which a chart's time range is divided. */
interface ChartWindow {
  readonly back: Millis;
  readonly latency: Millis;
  /** The interval that an individual availability or error value covers. */
  readonly span: Millis;
}

const HOUR: Millis = 3_600_000;
const DAY: Millis = 24 * HOUR;

export const CHART_WINDOWS: Readonly<Record<ChartRange, ChartWindow>> = {
  '24h': { back: DAY, latency: HOUR / 6, span: HOUR },
  '7d': { back: 7 * DAY, latency: HOUR, span: HOUR },
  '30d': { back: 30 * DAY, latency: 6 * HOUR, span: DAY },
  '90d': { back: 90 * DAY, latency: 12 * HOUR, span: DAY },
};

export interface ChartData {
  readonly until: EpochMs;
  /**
   * The average latency of each phase of the connection to the licence server, in milliseconds (by default, for the
   * last 24 hours in 10-minute intervals).
   */
  readonly latency: readonly ChartLine[];
  /** Log errors per appliance (by default, for the last 7 days by hour). Intervals without errors have no points. */
  readonly errors: readonly ChartLine[];
  /** Unassigned tokens per appliance and hour (by default, for the last 90 days). */
  readonly tokens: readonly ChartLine[];
  /**
   * The availability on each of the last 90 days (UTC) for which data exists or, if a range was requested, on each day
   * or in each hour of the range.
   */
  readonly days: readonly AvailabilityBar[];
}

export interface RangeData extends ChartData {
  readonly range: ChartRange;
  readonly from: EpochMs;
  readonly incidents: readonly ChartIncident[];
}

export interface ChartIncident {
  readonly id: string;
  readonly cause: string;
  readonly subject: string;
  readonly severity: Severity;
  readonly from: EpochMs;
  readonly until: EpochMs | null;
  /** In words, such as `about 51 s`. Null while the incident is open. */
  readonly lasted: string | null;
}

export interface ChartLine {
  readonly name: string;
  readonly points: readonly { readonly at: EpochMs; readonly value: number }[];
}

export interface Serving {
  readonly sources: WebSources;
  readonly clock: Clock;
  readonly logger: Logger;
}

export type WebEnv = { readonly Bindings: HttpBindings; readonly Variables: { caller: Caller } };

export const PROBE_MODULES = ['dns', 'tcp', 'tls', 'http', 'smtp'] as const;

export type ProbeModule = (typeof PROBE_MODULES)[number];

export interface DiscoveredProbe {
  readonly module: ProbeModule;
  readonly target: string;
}

export interface ProbeRequest {
  readonly target: string;
  readonly module: ProbeModule;
  /** Null if the request does not specify a timeout. */
  readonly timeout: Millis | null;
}

export type ProbeAnswer =
  | {
      readonly kind: 'probed';
      readonly metrics: MetricsText;
      /** The result and what it means, one item per line. Text from the network has been made safe to display. */
      readonly explanation: readonly string[];
    }
  /** A local problem prevented the probe, so the target's state is unknown. */
  | { readonly kind: 'hindered'; readonly problem: string }
  /** The target has an invalid format. `problem` describes the expected format. */
  | { readonly kind: 'malformed'; readonly problem: string }
  /** The configuration does not allow this probe. `problem` explains how to allow it. */
  | { readonly kind: 'forbidden'; readonly problem: string }
  | { readonly kind: 'busy' };

interface MetricsText {
  readonly contentType: string;
  readonly body: string;
}
