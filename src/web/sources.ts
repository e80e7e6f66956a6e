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
 * The data and actions that the web server needs from the daemon. All members except `metrics`, `reload` and `probe`
 * return immediately and never throw.
 */
export interface WebSources {
  /** Resolves when the first data is available. The ports are already open before that. */
  readonly begun: Promise<void>;
  site(): string;
  /** Returns the IANA name of the time zone in which pages show times. */
  timezone(): string;
  /** Returns the value of `web.publicUrl`, which is the status page's base URL. Null if it is not configured. */
  publicUrl(): string | null;
  /** The version number of ftm-watch. */
  readonly version: string;
  /** Returns the diagnosis of the latest round, or null before the first round has finished. */
  diagnosis(): Diagnosis | null;
  /** Returns recent incidents with their notifications and changes. */
  alertHistory(): AlertHistory;
  /** Returns up to `limit` incidents of any age. */
  findIncidents(query: IncidentQuery, limit: number): FoundIncidents;
  /**
   * Returns the incident with this ID. Returns null if the ID is unknown or the incident has been deleted after the
   * retention period.
   */
  incidentRecord(id: string): IncidentRecord | null;
  /**
   * Returns the addresses of all configured units. The list includes the addresses of their interfaces and the
   * translated addresses that firewalls see.
   */
  unitAddresses(): readonly string[];
  /**
   * Acknowledges an open incident, which stops reminders until the incident ends or its cause changes. Returns false if
   * no open incident has this ID.
   */
  acknowledge(id: string, by: string): boolean;
  /** Withdraws an acknowledgement, so that reminders resume. Returns false if no open incident has this ID. */
  unacknowledge(id: string): boolean;
  /** Adds evidence to an open incident. Returns false if no open incident has this ID. */
  attachEvidence(id: string, evidence: readonly string[]): boolean;
  maintenance(): MaintenancePlan;
  /** Returns the active silences. The list can also contain silences that have just expired. */
  silences(): readonly Silence[];
  /**
   * Creates a silence, which holds back notifications about matching incidents until it ends. Returns null if the
   * silence was rejected.
   */
  silence(request: Omit<Silence, 'id' | 'from'>): Silence | null;
  /** Removes a silence. Returns false if no silence has this ID. */
  unsilence(id: string): boolean;
  /**
   * Calls `listener` after each round, as soon as the other members return the new state. Returns a function that
   * removes the listener.
   */
  onDiagnosis(listener: (diagnosis: Diagnosis) => void): () => void;
  metrics(): Promise<MetricsText>;
  /** Counts a login attempt by its result. */
  noteLogin(result: LoginResult): void;
  /** Counts a change and records it in the audit trail. */
  noteChange(entry: AuditEntry): void;
  /**
   * Counts a refused change. If the account's role does not allow the change, the refusal is also recorded in the audit
   * trail.
   */
  noteRefusal(refused: RefusedChange, why: ChangeRefusal): void;
  /** Returns up to `limit` accepted and refused changes from the audit trail. */
  audit(asked: AuditQuery, limit: number): FoundChanges;
  /** Reloads the configuration file. */
  reload(): Promise<ReloadOutcome>;
  /** Probes one target. The probe stops early if the signal is aborted. */
  probe(request: ProbeRequest, signal: AbortSignal): Promise<ProbeAnswer>;
  /** Returns all targets that can be probed, for service discovery. */
  probes(): readonly DiscoveredProbe[];
  health(): Health;
  /** Returns the certificates from the latest round, with one entry for each address of a target. */
  certificates(): readonly SeenCertificate[];
  activity(): Activity;
  /** Returns the data for all charts. Each chart covers its default period. */
  chartData(): ChartData;
  /** Returns the chart data for one time range. */
  rangeData(range: ChartRange): RangeData;
  /**
   * Returns the availability of each year, followed by the months of that year, latest first. The list is empty if the
   * history is unavailable.
   */
  availability(): readonly AvailabilityPeriod[];
}

export type ReloadOutcome =
  | { readonly kind: 'taken' }
  | { readonly kind: 'refused'; readonly problems: readonly string[] };

/** The health of ftm-watch itself. */
export interface Health {
  /** Set after the first round has finished, until the daemon stops. */
  readonly ready: boolean;
  /** The reasons why the daemon is not ready, and other problems such as a read-only store or undeliverable mail. */
  readonly problems: readonly string[];
}

export interface SeenCertificate {
  /** The configured target as `host:port`. */
  readonly target: string;
  readonly address: string;
  readonly verdict: Verdict;
  /** The certificate chain that the server sent, starting with the leaf. Empty if no certificate was received. */
  readonly chain: readonly Certificate[];
  /** The learned chain for comparison, starting with the leaf. Empty if no chain has been learned. */
  readonly trusted: readonly Certificate[];
}

export interface Activity {
  readonly startedAt: EpochMs;
  readonly lastRound: { readonly at: EpochMs; readonly durationMs: Millis } | null;
  /** The time of the next round. Null if the daemon is stopping. */
  readonly nextRound: EpochMs | null;
  readonly lastReload: { readonly at: EpochMs; readonly taken: boolean } | null;
  readonly storeWritable: boolean;
  readonly notificationsPending: number;
  /** The delivery status of the configured channels that publish the current state. */
  readonly states: readonly ChannelState[];
  /** A warning that no recipient for notifications is configured. Null if there is a recipient. */
  readonly noChannel: string | null;
  /** The number of received log lines and the time of the last line. Null if the daemon does not receive logs. */
  readonly logLines: { readonly received: number; readonly lastAt: EpochMs | null } | null;
}

/** The client that sent a request. */
export interface Caller {
  /** The name of the caller's account. Null on the control socket, and for requests that don't require a login. */
  readonly name: string | null;
  readonly role: Role;
  /** The client's IP address. Null on the control socket. */
  readonly address: string | null;
  /**
   * Returns whether the password, token or secret that the caller used is still valid. Called repeatedly during long
   * responses.
   */
  readonly isStillKnown: () => Promise<boolean>;
}

/**
 * Returns the account name that is recorded in silences and the audit trail. A caller without a login can enter a name,
 * which is marked as unverified.
 */
export function accountOf({ name }: Caller, claimed: string | null): string {
  if (name !== null) return name;
  return claimed === null ? 'local' : `local (claimed: ${claimed})`;
}

/** Recent incidents and notifications. They come from the daemon's memory and, for the last days, from the store. */
export interface AlertHistory {
  /** All open incidents and all incidents that ended within the last week, in any order. */
  readonly incidents: readonly Incident[];
  /** Pending and recent notifications, latest first. */
  readonly outboxEntries: readonly OutboxEntry[];
  /** The latest changes to each of these incidents, newest first. */
  readonly changes: readonly AuditEntry[];
  /**
   * Set unless the history is unavailable. Without the history, resolved incidents and sent notifications can be
   * missing.
   */
  readonly complete: boolean;
}

/**
 * The incidents that match a query. Open incidents come first, followed by resolved incidents from newest to oldest.
 */
export interface FoundIncidents {
  readonly incidents: readonly Incident[];
  /** Set if more incidents match the query than were requested. */
  readonly more: boolean;
  /** Set unless the history is unavailable. Without the history, resolved incidents can be missing. */
  readonly complete: boolean;
}

/** One incident with its notifications and the changes that people made to it. */
export interface IncidentRecord {
  readonly incident: Incident;
  /** Notifications about the incident, latest first. */
  readonly outboxEntries: readonly OutboxEntry[];
  /**
   * Changes that were made on the incident's page and changes to its silences, newest first. Only the first and the
   * latest changes by each account are included.
   */
  readonly changes: readonly AuditEntry[];
  /** The number of changes that are not included in `changes`. */
  readonly omittedChanges: number;
  readonly complete: boolean;
}

/** A filter for changes. A property that is null matches all changes. */
export interface AuditQuery {
  /** Selects changes that were made before the change with this ID. */
  readonly before: number | null;
  /** Selects changes that were made on this incident's page. */
  readonly incident: string | null;
}

/** The changes that match an audit query. */
export interface FoundChanges {
  /** The accepted changes, newest first. */
  readonly changes: readonly KeptAuditEntry[];
  /** The refused changes, grouped by account, newest first. */
  readonly refused: readonly RefusedChanges[];
  /** Set if there are older changes that match the query. */
  readonly more: boolean;
  /** Set unless the history is unavailable. */
  readonly complete: boolean;
}

/** The time ranges that readers can select on the page. The selected range applies to all charts. */
export const CHART_RANGES = ['24h', '7d', '30d', '90d'] as const;

export type ChartRange = (typeof CHART_RANGES)[number];

export const USUAL_RANGE: ChartRange = '7d';

export function isChartRange(text: string): text is ChartRange {
  return CHART_RANGES.some((range) => range === text);
}

/** The intervals into which a chart's time range is divided. */
interface ChartWindow {
  readonly back: Millis;
  /** The interval over which latency values are averaged. */
  readonly latency: Millis;
  /** The interval that a single availability or error value covers. */
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

/** The chart data, as returned by `/api/v1/history`. */
export interface ChartData {
  readonly until: EpochMs;
  /**
   * The average latency of each phase of the connection to the licence server, in milliseconds. By default, it covers
   * the last 24 hours in 10-minute intervals. For a selected range, `CHART_WINDOWS` defines the intervals.
   */
  readonly latency: readonly ChartLine[];
  /**
   * The number of log errors per appliance. By default, it covers the last 7 days in hourly intervals. For a selected
   * range, `CHART_WINDOWS` defines the intervals. There are no points for intervals without errors.
   */
  readonly errors: readonly ChartLine[];
  /** The hourly number of unassigned tokens per appliance, for the last 90 days or the selected range. */
  readonly tokens: readonly ChartLine[];
  /**
   * The availability on each of the last 90 days (UTC) for which data exists. For a selected range, the availability on
   * each of its days or in each of its hours.
   */
  readonly days: readonly {
    readonly day: EpochMs /** The share of the period, from 0 to 1. */;
    readonly share: number;
  }[];
}

/** Chart data for one time range, including the incidents in that range. */
export interface RangeData extends ChartData {
  readonly range: ChartRange;
  readonly from: EpochMs;
  /** The incidents, newest first. */
  readonly incidents: readonly ChartIncident[];
}

export interface ChartIncident {
  readonly id: string;
  readonly cause: string;
  readonly subject: string;
  readonly severity: Severity;
  readonly from: EpochMs;
  /** The end time of the incident. Null while the incident is open. */
  readonly until: EpochMs | null;
  /** The duration in words, such as `about 51 s`. Null while the incident is open. */
  readonly lasted: string | null;
}

export interface ChartLine {
  readonly name: string;
  /** The data points of the line, oldest first. */
  readonly points: readonly { readonly at: EpochMs; readonly value: number }[];
}

/** The dependencies of the request handlers. */
export interface Serving {
  readonly sources: WebSources;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The context of a request: Node's request and response objects, and the caller. */
export type WebEnv = { readonly Bindings: HttpBindings; readonly Variables: { caller: Caller } };

/** The probe types that `/probe` supports. */
export type ProbeModule = 'dns' | 'tcp' | 'tls' | 'http' | 'smtp';

export const PROBE_MODULES: readonly ProbeModule[] = ['dns', 'tcp', 'tls', 'http', 'smtp'];

/** A target with the module that can probe it. */
export interface DiscoveredProbe {
  readonly module: ProbeModule;
  readonly target: string;
}

export interface ProbeRequest {
  /** The requested target as `HOST` or `HOST:PORT`. */
  readonly target: string;
  readonly module: ProbeModule;
  /** The client's timeout. Null if the request does not specify a timeout. */
  readonly timeout: Millis | null;
}

export type ProbeAnswer =
  | {
      readonly kind: 'probed';
      readonly metrics: MetricsText;
      /**
       * The probe's result and its meaning, with one item per line. Text from the network has been made safe to
       * display.
       */
      readonly explanation: readonly string[];
    }
  /** A local problem prevented the probe, so the target's state is unknown. */
  | { readonly kind: 'hindered'; readonly problem: string }
  /** The target has an invalid format. `problem` describes the expected format. */
  | { readonly kind: 'malformed'; readonly problem: string }
  /** The configuration does not allow this probe. `problem` explains how to allow it. */
  | { readonly kind: 'forbidden'; readonly problem: string }
  /** Too many other probes are already waiting. */
  | { readonly kind: 'busy' };

/** Metrics in the format that prom-client returns. */
interface MetricsText {
  readonly contentType: string;
  readonly body: string;
}
