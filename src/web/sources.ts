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
import type { Diagnosis } from '../engine/model.ts';
import type { Silence, Incident, OutboxEntry } from '../engine/incident/incident.ts';
import type { Verdict } from '../checks/tls-genuine/chain-case.ts';
import type { IncidentQuery } from './incident-json.ts';
import type { Role } from '../config/schema/web.ts';
import type { ChannelState } from '../notify/channels/channel.ts';
import type { MaintenancePlan } from '../notify/maintenance.ts';
import type { Severity } from '../core/severity.ts';

/**
 * All that the web server shows and does. Everything but `metrics`, `reload` and `probe` is answered at once and never
 * throws.
 */
export interface WebSources {
  /** Resolves when there is something to answer with: ports are bound before. */
  readonly begun: Promise<void>;
  site(): string;
  /** In which pages show times: IANA name. */
  timezone(): string;
  /** Of ftm-watch. */
  readonly version: string;
  /** The latest round; null before the first. */
  diagnosis(): Diagnosis | null;
  /** What happened and who was told. */
  alertHistory(): AlertHistory;
  /** Of any age, at most `limit`. */
  findIncidents(query: IncidentQuery, limit: number): FoundIncidents;
  /** null: there is none by this id, or it is older than what is kept. */
  incidentRecord(id: string): IncidentRecord | null;
  /** Addresses of the configured units: those that firewalls see, and those of their interfaces. */
  unitAddresses(): readonly string[];
  /** Stops the reminders of an open incident until it ends or its cause changes. False: there is no such one. */
  acknowledge(id: string, by: string): boolean;
  /** Its reminders go on. False: there is no such open incident. */
  unacknowledge(id: string): boolean;
  maintenance(): MaintenancePlan;
  /** Those that last, and perhaps some that are over. */
  silences(): readonly Silence[];
  /** Notifications about matching incidents wait until it ends. null: it was not taken. */
  silence(request: Omit<Silence, 'id' | 'from'>): Silence | null;
  /** False when there is no such silence. */
  unsilence(id: string): boolean;
  /**
   * Calls back after each round, when `diagnosis` and `incidents` already give what is new. The returned function ends
   * it.
   */
  onDiagnosis(listener: (diagnosis: Diagnosis) => void): () => void;
  metrics(): Promise<MetricsText>;
  /** Counts what came of a login. */
  noteLogin(result: LoginResult): void;
  /** Counts a change, and keeps it in the audit trail. */
  noteChange(entry: AuditEntry): void;
  /** Counts a refusal; what an account was refused for its role is kept too. */
  noteRefusal(refused: RefusedChange, why: ChangeRefusal): void;
  /** The audit trail, at most `limit` entries and refusals. */
  audit(asked: AuditQuery, limit: number): FoundChanges;
  /** Reloads the configuration file. */
  reload(): Promise<ReloadOutcome>;
  /** Looks at one target now. Ends early when the signal is aborted. */
  probe(request: ProbeRequest, signal: AbortSignal): Promise<ProbeAnswer>;
  /** What can be probed, for service discovery. */
  probes(): readonly DiscoveredProbe[];
  health(): Health;
  /** What the latest round saw, one for each address. */
  certificates(): readonly SeenCertificate[];
  activity(): Activity;
  /** For the charts, as far back as each was looked at once. */
  chartData(): ChartData;
  /** For the charts of one range. */
  rangeData(range: ChartRange): RangeData;
}

export type ReloadOutcome =
  | { readonly kind: 'taken' }
  | { readonly kind: 'refused'; readonly problems: readonly string[] };

/** How ftm-watch itself is. */
export interface Health {
  /** The first round is done, and it is not stopping. */
  readonly ready: boolean;
  /**
   * In words for people: why it is not ready, and what else is wrong with it (the store cannot be written, mail cannot
   * be sent).
   */
  readonly problems: readonly string[];
}

export interface SeenCertificate {
  /** `host:port`, as configured. */
  readonly target: string;
  readonly address: string;
  readonly verdict: Verdict;
  /** As sent, leaf first; empty when no certificate came. */
  readonly chain: readonly Certificate[];
  /** What it is compared with, leaf first: what was learned. Empty when nothing was. */
  readonly trusted: readonly Certificate[];
}

/** What the daemon is doing. */
export interface Activity {
  readonly startedAt: EpochMs;
  readonly lastRound: { readonly at: EpochMs; readonly durationMs: Millis } | null;
  /** null: none is planned (it is stopping). */
  readonly nextRound: EpochMs | null;
  readonly lastReload: { readonly at: EpochMs; readonly taken: boolean } | null;
  readonly storeWritable: boolean;
  readonly notificationsPending: number;
  /** Of the configured channels that are told a state. */
  readonly states: readonly ChannelState[];
  /** Said when the configuration names nobody to tell; null: it names somebody. */
  readonly noChannel: string | null;
  /** null: it does not listen for log lines. */
  readonly logLines: { readonly received: number; readonly lastAt: EpochMs | null } | null;
}

/** Who asks, as far as that is known. */
export interface Caller {
  /** null: nobody is asked for a name, at the control socket or without users. */
  readonly name: string | null;
  readonly role: Role;
  /** Of the peer; null at the control socket. */
  readonly address: string | null;
  /** Whether the password, token or secret that was shown is still right; asked again while an answer goes on. */
  readonly isStillKnown: () => Promise<boolean>;
}

/**
 * As silences and the audit trail name it. Who is not asked for a name may claim one: it is marked, so that nobody
 * takes it for proven.
 */
export function accountOf({ name }: Caller, claimed: string | null): string {
  if (name !== null) return name;
  return claimed === null ? 'local' : `local (claimed: ${claimed})`;
}

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

/** How far back the charts reach, all the same. */
export const CHART_RANGES = ['24h', '7d', '30d', '90d'] as const;

export type ChartRange = (typeof CHART_RANGES)[number];

export const USUAL_RANGE: ChartRange = '7d';

export function isChartRange(text: string): text is ChartRange {
  return CHART_RANGES.some((range) => range === text);
}

/** How long the past is cut up for the charts of a range. */
interface ChartWindow {
  readonly back: Millis;
  /** Means of the latency. */
  readonly latency: Millis;
  /** Availability and errors. */
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

/** What the charts show: the object of `/api/v1/history`. */
export interface ChartData {
  readonly until: EpochMs;
  /**
   * By phase of the connection to the licence server, in milliseconds: means over 10 minutes of the last 24 hours, or
   * as `CHART_WINDOWS` has it.
   */
  readonly latency: readonly ChartLine[];
  /** By appliance, errors in its log: hours of the last 7 days, or spans of the range; one without any has no point. */
  readonly errors: readonly ChartLine[];
  /** By appliance, tokens left to assign: hours of the last 90 days, or of the range. */
  readonly tokens: readonly ChartLine[];
  /** Of the last 90 days (UTC), those on which something was watched; of a range, its days or hours. */
  readonly days: readonly { readonly day: EpochMs /** 0 to 1 */; readonly share: number }[];
}

/** The same of one range, with what was wrong in it. */
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
  /** null: it is open. */
  readonly until: EpochMs | null;
  /** How long it was there, in words: `about 51 s`; null: it is open. */
  readonly lasted: string | null;
}

export interface ChartLine {
  readonly name: string;
  /** Oldest first. */
  readonly points: readonly { readonly at: EpochMs; readonly value: number }[];
}

/** What answers are made with. */
export interface Serving {
  readonly sources: WebSources;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What routes find in their context: Node's own request and response, and who asks. */
export type WebEnv = { readonly Bindings: HttpBindings; readonly Variables: { caller: Caller } };

/** What `/probe` can look at. */
export type ProbeModule = 'dns' | 'tcp' | 'tls' | 'http' | 'smtp';

export const PROBE_MODULES: readonly ProbeModule[] = ['dns', 'tcp', 'tls', 'http', 'smtp'];

/** A target that can be asked for, and how. */
export interface DiscoveredProbe {
  readonly module: ProbeModule;
  readonly target: string;
}

export interface ProbeRequest {
  /** As asked for: `HOST` or `HOST:PORT`. */
  readonly target: string;
  readonly module: ProbeModule;
  /** null: the client does not say how long it waits. */
  readonly timeout: Millis | null;
}

export type ProbeAnswer =
  | {
      readonly kind: 'probed';
      readonly metrics: MetricsText;
      /** What was seen and what it means, a line each: may hold text from the network, made safe to show. */
      readonly explanation: readonly string[];
    }
  /** Something on this side was in the way, which says nothing about the target. */
  | { readonly kind: 'hindered'; readonly problem: string }
  /** It cannot be looked at like this: what was expected. */
  | { readonly kind: 'malformed'; readonly problem: string }
  /** The configuration does not allow it: what to configure. */
  | { readonly kind: 'forbidden'; readonly problem: string }
  /** Too many wait already. */
  | { readonly kind: 'busy' };

/** As prom-client gives it. */
interface MetricsText {
  readonly contentType: string;
  readonly body: string;
}
