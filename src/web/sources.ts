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
 * The data and actions behind the web server. All members except `metrics`, `reload` and `probe` return immediately and
 * never throw.
 */
export interface WebSources {
  /** Resolves when there is data to serve. Ports are bound earlier. */
  readonly begun: Promise<void>;
  site(): string;
  /** IANA name of the time zone in which pages show times. */
  timezone(): string;
  /** Base URL of the pages, as in `web.publicUrl`; null if it is not configured. */
  publicUrl(): string | null;
  /** Version of ftm-watch. */
  readonly version: string;
  /** The latest round; null before the first one. */
  diagnosis(): Diagnosis | null;
  /** Returns recent incidents and the notifications sent about them. */
  alertHistory(): AlertHistory;
  /** Returns incidents of any age, at most `limit`. */
  findIncidents(query: IncidentQuery, limit: number): FoundIncidents;
  /** Returns null if no incident has this ID or it is older than the retention period. */
  incidentRecord(id: string): IncidentRecord | null;
  /** Addresses of the configured units: those that firewalls see and those of the units' interfaces. */
  unitAddresses(): readonly string[];
  /**
   * Stops the reminders of an open incident until it ends or its cause changes. Returns false if no such incident is
   * open.
   */
  acknowledge(id: string, by: string): boolean;
  /** Resumes the reminders. Returns false if no such incident is open. */
  unacknowledge(id: string): boolean;
  /** Adds to the evidence of an open incident. Returns false if no such incident is open. */
  attachEvidence(id: string, evidence: readonly string[]): boolean;
  maintenance(): MaintenancePlan;
  /** Active silences, and possibly some that have expired. */
  silences(): readonly Silence[];
  /**
   * Holds back notifications about matching incidents until the silence ends. Returns null if the silence was rejected.
   */
  silence(request: Omit<Silence, 'id' | 'from'>): Silence | null;
  /** Returns false if there is no such silence. */
  unsilence(id: string): boolean;
  /**
   * Calls `listener` after each round, once the new state is available from the other members. The returned function
   * unsubscribes it.
   */
  onDiagnosis(listener: (diagnosis: Diagnosis) => void): () => void;
  metrics(): Promise<MetricsText>;
  /** Counts the result of a login. */
  noteLogin(result: LoginResult): void;
  /** Counts a change and records it in the audit trail. */
  noteChange(entry: AuditEntry): void;
  /** Counts a refused change. If an account was refused because of its role, the refusal is recorded too. */
  noteRefusal(refused: RefusedChange, why: ChangeRefusal): void;
  /** Returns at most `limit` changes and refusals from the audit trail. */
  audit(asked: AuditQuery, limit: number): FoundChanges;
  /** Reloads the configuration file. */
  reload(): Promise<ReloadOutcome>;
  /** Probes one target now. Ends early if the signal is aborted. */
  probe(request: ProbeRequest, signal: AbortSignal): Promise<ProbeAnswer>;
  /** Targets that can be probed, for service discovery. */
  probes(): readonly DiscoveredProbe[];
  health(): Health;
  /** Certificates seen in the latest round, one for each address. */
  certificates(): readonly SeenCertificate[];
  activity(): Activity;
  /** Data for the charts, each over its default period. */
  chartData(): ChartData;
  /** Data for the charts of one range. */
  rangeData(range: ChartRange): RangeData;
  /** Each year followed by its months, latest first. Empty if the history is currently unavailable. */
  availability(): readonly AvailabilityPeriod[];
}

export type ReloadOutcome =
  | { readonly kind: 'taken' }
  | { readonly kind: 'refused'; readonly problems: readonly string[] };

/** Health of ftm-watch itself. */
export interface Health {
  /** Set once the first round has finished, until the daemon stops. */
  readonly ready: boolean;
  /**
   * Readable reasons why it is not ready, and other problems, such as a store that cannot be written or mail that
   * cannot be sent.
   */
  readonly problems: readonly string[];
}

export interface SeenCertificate {
  /** `host:port`, as configured. */
  readonly target: string;
  readonly address: string;
  readonly verdict: Verdict;
  /** As sent, leaf first. Empty if no certificate was received. */
  readonly chain: readonly Certificate[];
  /** The learned chain that it is compared with, leaf first. Empty if none was learned. */
  readonly trusted: readonly Certificate[];
}

export interface Activity {
  readonly startedAt: EpochMs;
  readonly lastRound: { readonly at: EpochMs; readonly durationMs: Millis } | null;
  /** null if none is planned because the daemon is stopping. */
  readonly nextRound: EpochMs | null;
  readonly lastReload: { readonly at: EpochMs; readonly taken: boolean } | null;
  readonly storeWritable: boolean;
  readonly notificationsPending: number;
  /** Delivery status of the configured state channels. */
  readonly states: readonly ChannelState[];
  /** The warning shown if the configuration has no recipient for notifications; otherwise null. */
  readonly noChannel: string | null;
  /** null if it does not listen for log lines. */
  readonly logLines: { readonly received: number; readonly lastAt: EpochMs | null } | null;
}

/** The sender of a request, as far as it is known. */
export interface Caller {
  /** null if no login is required: at the control socket, or if no users are configured. */
  readonly name: string | null;
  readonly role: Role;
  /** Address of the peer; null at the control socket. */
  readonly address: string | null;
  /** Reports whether the password, token or secret that was used is still valid. Called again during long responses. */
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

/** Recent incidents and notifications: those in the daemon's memory and those stored over the last days. */
export interface AlertHistory {
  /** All open incidents and those that ended within a week, in any order. */
  readonly incidents: readonly Incident[];
  /** Pending and recent notifications, latest first. */
  readonly outboxEntries: readonly OutboxEntry[];
  /** The latest changes about each of these incidents, latest first. */
  readonly changes: readonly AuditEntry[];
  /** False if the history is currently unavailable. Ended incidents and sent notifications may then be missing. */
  readonly complete: boolean;
}

/** Incidents of any age: open ones first, then latest first. */
export interface FoundIncidents {
  readonly incidents: readonly Incident[];
  /** Set if there are more incidents than were requested. */
  readonly more: boolean;
  /** False if the history is currently unavailable. Ended incidents may then be missing. */
  readonly complete: boolean;
}

/** One incident with its notifications and changes. */
export interface IncidentRecord {
  readonly incident: Incident;
  /** Notifications about the incident, latest first. */
  readonly outboxEntries: readonly OutboxEntry[];
  /**
   * Changes made on the incident's page and its silences, latest first: only the first and the latest of each account.
   */
  readonly changes: readonly AuditEntry[];
  /** Number of changes left out. */
  readonly omittedChanges: number;
  readonly complete: boolean;
}

/** Selects changes; null matches any. */
export interface AuditQuery {
  /** Only changes before the one with this ID. */
  readonly before: number | null;
  /** Only changes made on the page of this incident. */
  readonly incident: string | null;
}

/** Result of a query of the audit trail. */
export interface FoundChanges {
  /** Latest first. */
  readonly changes: readonly KeptAuditEntry[];
  /** Refused changes by account, latest first. */
  readonly refused: readonly RefusedChanges[];
  /** Set if there are earlier changes. */
  readonly more: boolean;
  /** False if the history is currently unavailable. */
  readonly complete: boolean;
}

/** Ranges that a reader can select. Each applies to all charts. */
export const CHART_RANGES = ['24h', '7d', '30d', '90d'] as const;

export type ChartRange = (typeof CHART_RANGES)[number];

export const USUAL_RANGE: ChartRange = '7d';

export function isChartRange(text: string): text is ChartRange {
  return CHART_RANGES.some((range) => range === text);
}

/** How the data of a chart range is grouped. */
interface ChartWindow {
  readonly back: Millis;
  /** Span over which the latency is averaged. */
  readonly latency: Millis;
  /** Span for availability and errors. */
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

/** Data of the charts, returned by `/api/v1/history`. */
export interface ChartData {
  readonly until: EpochMs;
  /**
   * Latency of each phase of the connection to the licence server, in milliseconds: means over 10 minutes for the last
   * 24 hours, or as set in `CHART_WINDOWS`.
   */
  readonly latency: readonly ChartLine[];
  /**
   * Log errors by appliance: per hour for the last 7 days, or per span of the range. Spans without errors have no
   * point.
   */
  readonly errors: readonly ChartLine[];
  /** Unassigned tokens by appliance: per hour for the last 90 days, or for the range. */
  readonly tokens: readonly ChartLine[];
  /** Days (UTC) of the last 90 on which anything was monitored. For a range, its days or hours. */
  readonly days: readonly { readonly day: EpochMs /** 0 to 1 */; readonly share: number }[];
}

/** Data of the charts for one range, with the incidents in it. */
export interface RangeData extends ChartData {
  readonly range: ChartRange;
  readonly from: EpochMs;
  /** Latest first. */
  readonly incidents: readonly ChartIncident[];
}

export interface ChartIncident {
  readonly id: string;
  readonly cause: string;
  readonly subject: string;
  readonly severity: Severity;
  readonly from: EpochMs;
  /** null if it is open. */
  readonly until: EpochMs | null;
  /** Duration in words, such as `about 51 s`; null if it is open. */
  readonly lasted: string | null;
}

export interface ChartLine {
  readonly name: string;
  /** Oldest first. */
  readonly points: readonly { readonly at: EpochMs; readonly value: number }[];
}

/** Dependencies of the request handlers. */
export interface Serving {
  readonly sources: WebSources;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Context of the routes: Node's own request and response, and the caller. */
export type WebEnv = { readonly Bindings: HttpBindings; readonly Variables: { caller: Caller } };

/** Probe types of `/probe`. */
export type ProbeModule = 'dns' | 'tcp' | 'tls' | 'http' | 'smtp';

export const PROBE_MODULES: readonly ProbeModule[] = ['dns', 'tcp', 'tls', 'http', 'smtp'];

/** A target that can be probed, with its module. */
export interface DiscoveredProbe {
  readonly module: ProbeModule;
  readonly target: string;
}

export interface ProbeRequest {
  /** As requested: `HOST` or `HOST:PORT`. */
  readonly target: string;
  readonly module: ProbeModule;
  /** null if the client does not specify how long it waits. */
  readonly timeout: Millis | null;
}

export type ProbeAnswer =
  | {
      readonly kind: 'probed';
      readonly metrics: MetricsText;
      /** The result and its meaning, one item per line. May contain text from the network, made safe to show. */
      readonly explanation: readonly string[];
    }
  /** A local problem prevented the probe. It means nothing about the target. */
  | { readonly kind: 'hindered'; readonly problem: string }
  /** The target cannot be probed in this form. `problem` describes what was expected. */
  | { readonly kind: 'malformed'; readonly problem: string }
  /** The configuration does not allow it. `problem` describes what to configure. */
  | { readonly kind: 'forbidden'; readonly problem: string }
  /** Too many probes are waiting. */
  | { readonly kind: 'busy' };

/** Metrics as returned by prom-client. */
interface MetricsText {
  readonly contentType: string;
  readonly body: string;
}
