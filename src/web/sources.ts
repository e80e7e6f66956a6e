import type { Certificate } from '../core/certificate.ts';
import type { AuditEntry, ChangeRefusal, LoginResult, RefusedChange } from '../core/audit.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import type { Diagnosis } from '../engine/diagnosis.ts';
import type { Silence } from '../engine/incident/incident.ts';
import type { Verdict } from '../checks/tls-genuine/tls-evidence.ts';
import type {
  AlertHistory,
  AuditQuery,
  FoundChanges,
  FoundIncidents,
  IncidentRecord,
  MaintenancePlan,
} from './alert-history.ts';
import type { ChartData, ChartRange, RangeData } from './chart-data.ts';
import type { IncidentQuery } from './incident-query.ts';
import type { MetricsText } from './metrics-text.ts';
import type { DiscoveredProbe, ProbeAnswer, ProbeRequest } from './probe-answer.ts';

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

/** Whether the recipients of a channel that is told a state listen. */
export interface StateRecipients {
  /** Of the channel. */
  readonly name: string;
  /** Those that did not take the last message. */
  readonly silent: number;
  /** When what one of them took last was true. Null: none has taken anything since the start or the last reload. */
  readonly tookAt: EpochMs | null;
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
  readonly states: readonly StateRecipients[];
  /** Said when the configuration names nobody to tell; null: it names somebody. */
  readonly noChannel: string | null;
  /** null: it does not listen for log lines. */
  readonly logLines: { readonly received: number; readonly lastAt: EpochMs | null } | null;
}
