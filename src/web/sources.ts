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
import type { AvailabilityPeriod } from '../engine/availability.ts';
import type { Diagnosis } from '../engine/model.ts';
import type { Silence, Incident, OutboxEntry } from '../engine/incident/incident.ts';
import type { Verdict } from '../checks/tls-genuine/chain-case.ts';
import type { IncidentQuery } from './incident-json.ts';
import type { Role } from '../config/schema/web.ts';
import type { ChannelState } from '../notify/channels/channel.ts';
import type { MaintenancePlan } from '../notify/maintenance.ts';
import type { Severity } from '../core/severity.ts';

/**
 * The data and actions that the web server needs. All members except `metrics`, `reload` and `probe` return immediately
 * and never throw.
 */
export interface WebSources {
  /** Resolves when there is data to serve. The ports are bound earlier. */
  readonly begun: Promise<void>;
  site(): string;
  /** The IANA name of the time zone in which pages show times. */
  timezone(): string;
  /** Base URL of the pages, as in `web.publicUrl`; null if it is not configured. */
  publicUrl(): string | null;
  /** The version of ftm-watch. */
  readonly version: string;
  /** Returns the diagnosis of the latest round. Null before the first round has finished. */
  diagnosis(): Diagnosis | null;
  /** Returns recent incidents and the notifications sent about them. */
  alertHistory(): AlertHistory;
  /** Returns incidents of any age, at most `limit`. */
  findIncidents(query: IncidentQuery, limit: number): FoundIncidents;
  /** Returns an incident, or null if no incident has this ID or if it is older than the retention period. */
  incidentRecord(id: string): IncidentRecord | null;
  /**
   * Returns the addresses of the configured units, both their interface addresses and the addresses that firewalls see.
   */
  unitAddresses(): readonly string[];
  /**
   * Stops reminders for an open incident until the incident ends or its cause changes. Returns false if no such
   * incident is open.
   */
  acknowledge(id: string, by: string): boolean;
  /** Resumes the reminders of an incident. Returns false if no such incident is open. */
  unacknowledge(id: string): boolean;
  /** Adds evidence to an open incident. Returns false if no such incident is open. */
  attachEvidence(id: string, evidence: readonly string[]): boolean;
  maintenance(): MaintenancePlan;
  /** Returns the active silences, and possibly some expired silences. */
  silences(): readonly Silence[];
  /**
   * Holds back notifications about matching incidents until the silence ends. Returns null if the silence was rejected.
   */
  silence(request: Omit<Silence, 'id' | 'from'>): Silence | null;
  /** Removes a silence. Returns false if there is no such silence. */
  unsilence(id: string): boolean;
  /**
   * Calls `listener` after each round, when the other members return the new state. The returned function unsubscribes
   * the listener.
   */
  onDiagnosis(listener: (diagnosis: Diagnosis) => void): () => void;
  metrics(): Promise<MetricsText>;
  /** Counts the result of a login. */
  noteLogin(result: LoginResult): void;
  /** Counts a change and records it in the audit trail. */
  noteChange(entry: AuditEntry): void;
  /** Counts a refused change. If an account was refused because of its role, the refusal is also recorded. */
  noteRefusal(refused: RefusedChange, why: ChangeRefusal): void;
  /** Returns at most `limit` changes and refusals from the audit trail. */
  audit(asked: AuditQuery, limit: number): FoundChanges;
  /** Reloads the configuration file. */
  reload(): Promise<ReloadOutcome>;
  /** Probes one target immediately. Ends early if the signal is aborted. */
  probe(request: ProbeRequest, signal: AbortSignal): Promise<ProbeAnswer>;
  /** Returns the targets that can be probed, for service discovery. */
  probes(): readonly DiscoveredProbe[];
  health(): Health;
  /** Returns the certificates that were received in the latest round, one for each address. */
  certificates(): readonly SeenCertificate[];
  activity(): Activity;
  /** Returns the data for the charts, each for its default period. */
  chartData(): ChartData;
  /** Returns the chart data for one time range. */
  rangeData(range: ChartRange): RangeData;
  /** Each year followed by its months, latest first. Empty if the history is currently unavailable. */
  availability(): readonly AvailabilityPeriod[];
}

export type ReloadOutcome =
  | { readonly kind: 'taken' }
  | { readonly kind: 'refused'; readonly problems: readonly string[] };

/** The health of ftm-watch itself. */
export interface Health {
  /** Set from the end of the first round until the daemon stops. */
  readonly ready: boolean;
  /**
   * Reasons why the daemon is not ready, and other problems, such as a store that cannot be written or mail that cannot
   * be sent.
   */
  readonly problems: readonly string[];
}

export interface SeenCertificate {
  /** The configured target as `host:port`. */
  readonly target: string;
  readonly address: string;
  readonly verdict: Verdict;
  /** The chain as it was sent, with the leaf first. Empty if no certificate was received. */
  readonly chain: readonly Certificate[];
  /** The learned chain for comparison, with the leaf first. Empty if no chain was learned. */
  readonly trusted: readonly Certificate[];
}

export interface Activity {
  readonly startedAt: EpochMs;
  readonly lastRound: { readonly at: EpochMs; readonly durationMs: Millis } | null;
  /** The time of the next round. Null if no round is planned because the daemon is stopping. */
  readonly nextRound: EpochMs | null;
  readonly lastReload: { readonly at: EpochMs; readonly taken: boolean } | null;
  readonly storeWritable: boolean;
  readonly notificationsPending: number;
  /** The delivery status of the configured state channels. */
  readonly states: readonly ChannelState[];
  /** A warning if the configuration contains no recipient for notifications, otherwise null. */
  readonly noChannel: string | null;
  /** Statistics about log lines. Null if the daemon does not receive logs. */
  readonly logLines: { readonly received: number; readonly lastAt: EpochMs | null } | null;
}

/** The sender of a request, as far as the sender is known. */
export interface Caller {
  /**
   * The name of the account. Null if no login is required, which is the case on the control socket or if no users are
   * configured.
   */
  readonly name: string | null;
  readonly role: Role;
  /** The address of the peer. Null on the control socket. */
  readonly address: string | null;
  /**
   * Returns whether the password, token or secret that was used is still valid. Called repeatedly during long
   * responses.
   */
  readonly isStillKnown: () => Promise<boolean>;
}

/**
 * Returns the account name for silences and the audit trail. A caller without a login can claim a name, which is marked
 * as unverified.
 */
export function accountOf({ name }: Caller, claimed: string | null): string {
  if (name !== null) return name;
  return claimed === null ? 'local' : `local (claimed: ${claimed})`;
}

/** Recent incidents and notifications from the daemon's memory, and from the store for the last days. */
export interface AlertHistory {
  /** All open incidents and the incidents that ended within a week, in any order. */
  readonly incidents: readonly Incident[];
  /** Pending and recent notifications, latest first. */
  readonly outboxEntries: readonly OutboxEntry[];
  /** The latest changes that concern each of these incidents, latest first. */
  readonly changes: readonly AuditEntry[];
  /**
   * False if the history is currently unavailable, so that resolved incidents and sent notifications can be missing.
   */
  readonly complete: boolean;
}

/** Incidents of any age. Open incidents come first, then the latest incidents. */
export interface FoundIncidents {
  readonly incidents: readonly Incident[];
  /** Set if there are more incidents than requested. */
  readonly more: boolean;
  /** False if the history is currently unavailable, so that resolved incidents can be missing. */
  readonly complete: boolean;
}

/** One incident with its notifications and changes. */
export interface IncidentRecord {
  readonly incident: Incident;
  /** Notifications about the incident, latest first. */
  readonly outboxEntries: readonly OutboxEntry[];
  /**
   * The changes that were made on the incident's page and to its silences, latest first. Only the first and the latest
   * changes of each account are included.
   */
  readonly changes: readonly AuditEntry[];
  /** The number of changes that are left out. */
  readonly omittedChanges: number;
  readonly complete: boolean;
}

/** A filter for changes. Null values match all changes. */
export interface AuditQuery {
  /** Selects changes before the change with this ID. */
  readonly before: number | null;
  /** Selects changes that were made on the page of this incident. */
  readonly incident: string | null;
}

/** The result of a query of the audit trail. */
export interface FoundChanges {
  /** The items, latest first. */
  readonly changes: readonly KeptAuditEntry[];
  /** Refused changes by account, latest first. */
  readonly refused: readonly RefusedChanges[];
  /** Set if there are earlier changes than the returned changes. */
  readonly more: boolean;
  /** False if the history is currently unavailable. */
  readonly complete: boolean;
}

/** The ranges that a reader can select. A range applies to all charts. */
export const CHART_RANGES = ['24h', '7d', '30d', '90d'] as const;

export type ChartRange = (typeof CHART_RANGES)[number];

export const USUAL_RANGE: ChartRange = '7d';

export function isChartRange(text: string): text is ChartRange {
  return CHART_RANGES.some((range) => range === text);
}

/** The periods in which the data of a chart range is grouped. */
interface ChartWindow {
  readonly back: Millis;
  /** The period over which the latency is averaged. */
  readonly latency: Millis;
  /** The period of a value for availability and errors. */
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

/** The data for the charts, which `/api/v1/history` returns. */
export interface ChartData {
  readonly until: EpochMs;
  /**
   * The latency of each phase of the connection to the licence server in milliseconds, averaged over 10 minutes for the
   * last 24 hours. For a range, the periods are set in `CHART_WINDOWS`.
   */
  readonly latency: readonly ChartLine[];
  /**
   * Log errors by appliance, per hour for the last 7 days. For a range, per period of the range. Periods without errors
   * have no point.
   */
  readonly errors: readonly ChartLine[];
  /** Unassigned tokens by appliance, per hour for the last 90 days or for the range. */
  readonly tokens: readonly ChartLine[];
  /**
   * The availability for each of the last 90 days (UTC) on which data was collected. For a range, for each of its days
   * or hours.
   */
  readonly days: readonly {
    readonly day: EpochMs /** The share of the period, from 0 to 1. */;
    readonly share: number;
  }[];
}

/** The data for the charts of one range, with the incidents in this range. */
export interface RangeData extends ChartData {
  readonly range: ChartRange;
  readonly from: EpochMs;
  /** The items, latest first. */
  readonly incidents: readonly ChartIncident[];
}

export interface ChartIncident {
  readonly id: string;
  readonly cause: string;
  readonly subject: string;
  readonly severity: Severity;
  readonly from: EpochMs;
  /** The end of the incident. Null if the incident is open. */
  readonly until: EpochMs | null;
  /** The duration in words, such as `about 51 s`. Null if the incident is open. */
  readonly lasted: string | null;
}

export interface ChartLine {
  readonly name: string;
  /** The values, oldest first. */
  readonly points: readonly { readonly at: EpochMs; readonly value: number }[];
}

/** The dependencies of the request handlers. */
export interface Serving {
  readonly sources: WebSources;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The context of the routes, which contains Node's request and response and the caller. */
export type WebEnv = { readonly Bindings: HttpBindings; readonly Variables: { caller: Caller } };

/** The probe types that `/probe` supports. */
export type ProbeModule = 'dns' | 'tcp' | 'tls' | 'http' | 'smtp';

export const PROBE_MODULES: readonly ProbeModule[] = ['dns', 'tcp', 'tls', 'http', 'smtp'];

/** A target that can be probed, and the module for this target. */
export interface DiscoveredProbe {
  readonly module: ProbeModule;
  readonly target: string;
}

export interface ProbeRequest {
  /** The requested target, which is `HOST` or `HOST:PORT`. */
  readonly target: string;
  readonly module: ProbeModule;
  /** The client's timeout. Null if the client does not specify a timeout. */
  readonly timeout: Millis | null;
}

export type ProbeAnswer =
  | {
      readonly kind: 'probed';
      readonly metrics: MetricsText;
      /**
       * The result and its meaning, one item per line. It can contain text from the network, which is safe to display.
       */
      readonly explanation: readonly string[];
    }
  /** A problem on this machine prevented the probe, so nothing is known about the target. */
  | { readonly kind: 'hindered'; readonly problem: string }
  /** The target is invalid. `problem` describes the expected format. */
  | { readonly kind: 'malformed'; readonly problem: string }
  /** The configuration does not allow this probe. `problem` describes how to allow it. */
  | { readonly kind: 'forbidden'; readonly problem: string }
  /** Too many probes are pending. */
  | { readonly kind: 'busy' };

/** The metrics as prom-client returns them. */
interface MetricsText {
  readonly contentType: string;
  readonly body: string;
}
