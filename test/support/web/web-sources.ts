import type { AuditEntry, ChangeRefusal, LoginResult, RefusedChange } from '../../../src/core/audit.ts';
import type { AvailabilityDay, AvailabilityPeriod } from '../../../src/engine/availability.ts';
import type { Diagnosis } from '../../../src/engine/model.ts';
import { EMPTY_STATE, type Incident, type Silence, type OutboxEntry } from '../../../src/engine/incident/incident.ts';
import { next } from '../../../src/engine/incident/machine.ts';
import type { IncidentInput } from '../../../src/engine/incident/round-view.ts';
import {
  type Activity,
  type Health,
  type ReloadOutcome,
  type SeenCertificate,
  type WebSources,
  type ChartData,
  type RangeData,
  USUAL_RANGE,
} from '../../../src/web/sources.ts';
import type { MaintenancePlan } from '../../../src/notify/maintenance.ts';
import { byUrgency, isAskedFor } from '../../../src/web/incident-json.ts';
import { POLICY, START } from '../store/incident-timeline.ts';

/** The web server's state, which can be changed while it runs. */
export interface WebState {
  site: string;
  timezone: string;
  publicUrl: string | null;
  diagnosis: Diagnosis | null;
  /** By default, a diagnosis counts forever. */
  knownFor: number;
  incidents: readonly Incident[];
  unitAddresses: readonly string[];
  silences: readonly Silence[];
  outboxEntries: readonly OutboxEntry[];
  /** Recorded changes, latest first. */
  changes: readonly AuditEntry[];
  /** Number of omitted changes of an incident. */
  omittedChanges: number;
  /** Refused changes, latest first. */
  refusals: readonly (RefusedChange & { readonly refused: ChangeRefusal })[];
  readonly logins: LoginResult[];
  /** Whether the history is available. */
  complete: boolean;
  /** When changes are made. */
  now: number;
  maintenance: MaintenancePlan;
  certificates: readonly SeenCertificate[];
  health: Health;
  activity: Activity;
  chartData: ChartData;
  rangeData: RangeData;
  lastDays: readonly AvailabilityDay[];
  unknownSince: number | null;
  availability: readonly AvailabilityPeriod[];
  /** Result of the next reload. */
  reload: ReloadOutcome;
  reloads: number;
  isClosed: boolean;
  metrics: () => Promise<string>;
  probe: WebSources['probe'];
}

export const QUIET_ACTIVITY: Activity = {
  startedAt: START - 86_400_000,
  lastRound: { at: START, durationMs: 1_240 },
  nextRound: START + 30_000,
  lastReload: null,
  storeWritable: true,
  notificationsPending: 0,
  states: [],
  noChannel: null,
  peers: [],
  log: { lastLineAt: START - 20_000 },
};

export const EMPTY_PAST: ChartData = { until: START, latency: [], errors: [], tokens: [], days: [] };

export function webState(more: Partial<WebState> = {}): WebState {
  const state: WebState = {
    site: 'hq',
    timezone: 'UTC',
    publicUrl: null,
    diagnosis: null,
    knownFor: Number.MAX_SAFE_INTEGER,
    incidents: [],
    unitAddresses: ['10.0.0.5'],
    silences: [],
    outboxEntries: [],
    changes: [],
    omittedChanges: 0,
    refusals: [],
    logins: [],
    complete: true,
    now: START,
    maintenance: { until: null, next: null },
    certificates: [],
    health: { ready: true, problems: [] },
    activity: QUIET_ACTIVITY,
    chartData: EMPTY_PAST,
    rangeData: { ...EMPTY_PAST, range: USUAL_RANGE, from: START - 7 * 86_400_000, incidents: [] },
    lastDays: [],
    unknownSince: null,
    availability: [],
    reload: { kind: 'taken' },
    reloads: 0,
    isClosed: false,
    metrics: () => Promise.resolve('# TYPE ftm_activation_ready gauge\nftm_activation_ready 1\n'),
    probe: () => Promise.resolve({ kind: 'busy' }),
    ...more,
  };
  return state;
}

/** Lets the incident machine take a change. */
function take(state: WebState, input: IncidentInput): void {
  const { incidents, silences } = state;
  const after = next({ ...EMPTY_STATE, incidents, silences, counter: silences.length }, input, POLICY).state;
  Object.assign(state, { incidents: after.incidents, silences: after.silences });
}

function takeAboutOpen(state: WebState, input: Extract<IncidentInput, { readonly id: string }>): boolean {
  const isThere = state.incidents.some(({ id, status }) => id === input.id && status === 'open');
  take(state, input);
  return isThere;
}

export function sourcesOf(state: WebState): WebSources {
  return {
    begun: Promise.resolve(),
    isClosed: () => state.isClosed,
    version: '0.1.0',
    controlSocket: () => '/var/lib/ftm-watch/ftm-watch.sqlite.sock',
    unitAddresses: () => state.unitAddresses,
    site: () => state.site,
    timezone: () => state.timezone,
    publicUrl: () => state.publicUrl,
    diagnosis: () => state.diagnosis,
    knownFor: () => state.knownFor,
    alertHistory: () => ({
      incidents: state.incidents,
      omitted: 0,
      outboxEntries: state.outboxEntries,
      complete: state.complete,
    }),
    noteLogin: (result) => void state.logins.push(result),
    noteChange: (entry) => {
      state.changes = [entry, ...state.changes];
    },
    noteRefusal: (change, refused) => {
      state.refusals = [{ ...change, refused }, ...state.refusals];
    },
    audit({ before, incident }, limit) {
      const all = state.changes.map((change, index) => ({ ...change, id: state.changes.length - index }));
      const found = all.filter(
        (change) => (before === null || change.id < before) && (incident === null || change.incident === incident),
      );
      const { complete } = state;
      return { changes: found.slice(0, limit), refused: [], more: found.length > limit, complete };
    },
    findIncidents(query, limit) {
      const found = byUrgency(state.incidents.filter((incident) => isAskedFor(incident, query)));
      return { incidents: found.slice(0, limit), more: found.length > limit, complete: state.complete };
    },
    collectIncidents(query, limit) {
      return Promise.resolve(this.findIncidents(query, limit));
    },
    incidentsVersion: () => state.incidents,
    incidentRecord(id) {
      const incident = state.incidents.find((one) => one.id === id);
      const { outboxEntries, omittedChanges, complete } = state;
      const changes = state.changes.filter((change) => change.incident === null || change.incident === id);
      return incident === undefined ? null : { incident, outboxEntries, changes, omittedChanges, complete };
    },
    acknowledge: (id, by) => takeAboutOpen(state, { kind: 'acknowledge', at: state.now, id, by }),
    unacknowledge: (id) => takeAboutOpen(state, { kind: 'unacknowledge', at: state.now, id }),
    attachEvidence: (id, evidence) => takeAboutOpen(state, { kind: 'attach', at: state.now, id, evidence }),
    maintenance: () => state.maintenance,
    silences: () => state.silences,
    silence(request) {
      take(state, { kind: 'silence', at: state.now, silence: request });
      return state.silences.at(-1) ?? { ...request, id: 'none' };
    },
    unsilence(id) {
      const before = state.silences.length;
      take(state, { kind: 'unsilence', at: state.now, id });
      return state.silences.length < before;
    },
    certificates: () => state.certificates,
    health: () => state.health,
    activity: () => state.activity,
    chartData: () => state.chartData,
    probes: () => [
      { module: 'http', target: 'license.test:443' },
      { module: 'tcp', target: 'control.test:443' },
      { module: 'http', target: 'license.test:443' },
    ],
    rangeData: (range) => ({ ...state.rangeData, range }),
    lastDays: () => state.lastDays,
    unknownSince: () => state.unknownSince,
    availability: () => state.availability,
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4; charset=utf-8', body: await state.metrics() }),
    probe: (request, signal) => state.probe(request, signal),
    reload() {
      state.reloads += 1;
      return Promise.resolve(state.reload);
    },
  };
}
