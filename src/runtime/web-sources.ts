import { judgeAgent } from '../checks/agent/judge.ts';
import { unitAddresses } from '../checks/conclude.ts';
import type { Clock, EpochMs } from '../core/clock.ts';
import { noChannelNote } from '../config/schema/channels.ts';
import type { Activity, Health, SeenCertificate, WebSources, DiscoveredProbe } from '../web/sources.ts';
import {
  collectIncidents,
  createAlertHistory,
  findChanges,
  findIncidents,
  incidentRecord,
} from './incident-records.ts';
import { createCharts } from './charts.ts';
import type { Monitor } from './monitor.ts';
import type { Recorder } from '../metrics/recorder.ts';
import type { Config } from '../config/config.ts';
import { authority } from '../core/addresses.ts';

export interface DaemonFacts extends Pick<WebSources, 'version' | 'begun' | 'controlSocket' | 'noteChange' | 'reload'> {
  readonly clock: Clock;
  readonly monitor: Monitor;
  readonly recorder: Recorder;
  readonly startedAt: EpochMs;
  readonly isStopping: () => boolean;
  readonly lastReload: () => Activity['lastReload'];
}

export function createWebSources(facts: DaemonFacts): WebSources {
  const { monitor, clock, recorder } = facts;
  const { config, alerting, store } = monitor;
  return {
    version: facts.version,
    controlSocket: facts.controlSocket,
    begun: facts.begun,
    isClosed: () => monitor.isClosed(),
    site: () => config.site,
    timezone: () => config.timezone,
    publicUrl: () => config.web.publicUrl,
    diagnosis: () => monitor.last()?.diagnosis ?? null,
    knownFor: () => monitor.knownFor,
    alertHistory: createAlertHistory(monitor, clock),
    findIncidents: (query, limit) => findIncidents(monitor, query, limit),
    collectIncidents: (query, limit) => collectIncidents(monitor, query, limit),
    incidentsVersion: () => alerting.incidents(),
    incidentRecord: (id) => incidentRecord(monitor, id),
    unitAddresses: () => unitAddresses(config),
    acknowledge: (id, by) => alerting.acknowledge(id, by),
    unacknowledge: (id) => alerting.unacknowledge(id),
    attachEvidence: (id, evidence) => alerting.attach(id, evidence),
    maintenance: () => monitor.maintenance.outlook(clock.now()),
    silences: () => alerting.silences(),
    silence: (request) => alerting.silence(request),
    unsilence: (id) => alerting.unsilence(id),
    noteLogin: (result) => recorder.login(result),
    noteChange: facts.noteChange,
    noteRefusal: (refused, why) => {
      recorder.change(why);
      // Refused changes are recorded only if they come from a known account. Attempts by unknown clients are only
      // counted.
      if (why === 'role') store.recordRefusal(refused);
    },
    audit: (asked, limit) => findChanges(monitor, asked, limit),
    metrics: () => monitor.metrics(),
    reload: facts.reload,
    probe: (request, signal) => monitor.probes.probe(request, signal),
    probes: () => discoveredProbes(config),
    health: () => health(facts),
    certificates: () => certificates(monitor),
    activity: () => activity(facts),
    ...createCharts(monitor, clock),
  };
}

function health({ monitor, isStopping }: DaemonFacts): Health {
  const first = monitor.last() !== null;
  return {
    ready: first && !isStopping(),
    problems: [
      ...(first ? [] : ['The first check has not finished yet']),
      ...(isStopping() ? ['The daemon is stopping'] : []),
      ...judgeAgent(monitor.health()).map(({ claim }) => claim),
    ],
  };
}

function certificates(monitor: Monitor): readonly SeenCertificate[] {
  const targets = monitor.last()?.targets ?? [];
  return targets.flatMap(({ path, tls }) => {
    const { baseline } = monitor.knowledgeOf(path.subject);
    const trusted = baseline === null ? [] : [...baseline.leaves.slice(0, 1), ...baseline.authorities];
    return tls.endpoints.map(({ endpoint, outcome, judgement }) => ({
      target: path.subject,
      address: endpoint.address,
      verdict: judgement.verdict,
      chain: outcome.chain?.certificates ?? [],
      trusted,
    }));
  });
}

function activity({ monitor, startedAt, lastReload }: DaemonFacts): Activity {
  const last = monitor.last()?.observations;
  const counters = monitor.logCounters();
  const { alerting, config } = monitor;
  const pending = alerting.pending();
  return {
    startedAt,
    lastRound: last === undefined ? null : { at: last.startedAt, durationMs: last.durationMs },
    nextRound: monitor.nextRound(),
    lastReload: lastReload(),
    storeWritable: monitor.store.writable(),
    notificationsPending: Object.values(pending).reduce((sum, count) => sum + count, 0),
    states: alerting.states(),
    noChannel: noChannelNote(config.notify),
    peers: monitor.peers(),
    log: counters === null ? null : { lastLineAt: latest([...counters.lastReceivedAt.values()]) },
  };
}

function latest(times: readonly EpochMs[]): EpochMs | null {
  return times.length === 0 ? null : Math.max(...times);
}

/** Returns, for each target, the most detailed probe that is certain to work. */
export function discoveredProbes({
  licenseServer,
  services,
  controlHosts,
  resolvers,
  mail,
  web,
}: Config): readonly DiscoveredProbe[] {
  return [
    ...[licenseServer, ...services].map((host): DiscoveredProbe => ({ module: 'http', target: authority(host) })),
    ...[...controlHosts, ...web.probeTargets].map(
      (host): DiscoveredProbe => ({ module: 'tcp', target: authority(host) }),
    ),
    ...resolvers.map(({ label }): DiscoveredProbe => ({ module: 'dns', target: label })),
    ...mail.map((server): DiscoveredProbe => ({ module: 'smtp', target: authority(server) })),
  ];
}
