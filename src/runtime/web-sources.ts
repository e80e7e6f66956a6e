import { judgeAgent } from '../checks/agent/judge.ts';
import { unitAddresses } from './conclude.ts';
import type { Clock, EpochMs } from '../core/clock.ts';
import type { LogCounters } from '../logs/tally.ts';
import { noChannelNote } from '../notify/channels/registry.ts';
import type { Activity, Health, ReloadOutcome, SeenCertificate, WebSources, DiscoveredProbe } from '../web/sources.ts';
import {
  collectIncidents,
  createAlertHistory,
  findChanges,
  findIncidents,
  incidentRecord,
} from './incident-records.ts';
import { createCharts } from './charts.ts';
import { controlPlace } from './store-places.ts';
import type { Monitor } from './monitor.ts';
import type { Recorder } from '../metrics/recorder.ts';
import type { Config } from '../config/config.ts';
import { authority } from '../core/addresses.ts';

interface DaemonFacts {
  readonly clock: Clock;
  readonly env: NodeJS.ProcessEnv;
  readonly version: string;
  readonly begun: Promise<void>;
  readonly startedAt: EpochMs;
  /** A function, because a reload replaces the monitor. */
  readonly monitor: () => Monitor;
  readonly stopping: () => boolean;
  readonly lastReload: () => Activity['lastReload'];
  readonly recorder: Recorder;
  readonly certificateEnd: () => EpochMs | null;
  readonly metrics: WebSources['metrics'];
  readonly reload: () => Promise<ReloadOutcome>;
}

export function createWebSources(facts: DaemonFacts): WebSources {
  const { monitor } = facts;
  return {
    version: facts.version,
    controlSocket: () => controlPlace(monitor().config.store.path, facts.env).socket,
    begun: facts.begun,
    site: () => monitor().config.site,
    timezone: () => monitor().config.timezone,
    publicUrl: () => monitor().config.web.publicUrl,
    diagnosis: () => monitor().last()?.diagnosis ?? null,
    knownFor: () => monitor().knownFor,
    alertHistory: createAlertHistory(monitor, facts.clock),
    findIncidents: (query, limit) => findIncidents(monitor(), query, limit),
    collectIncidents: (query, limit) => collectIncidents(monitor(), query, limit),
    incidentsVersion: () => monitor().alerting.incidents(),
    incidentRecord: (id) => incidentRecord(monitor(), id),
    unitAddresses: () => unitAddresses(monitor().config),
    acknowledge: (id, by) => monitor().alerting.acknowledge(id, by),
    unacknowledge: (id) => monitor().alerting.unacknowledge(id),
    attachEvidence: (id, evidence) => monitor().alerting.attach(id, evidence),
    maintenance: () => monitor().maintenance.outlook(facts.clock.now()),
    silences: () => monitor().alerting.silences(),
    silence: (request) => monitor().alerting.silence(request),
    unsilence: (id) => monitor().alerting.unsilence(id),
    noteLogin: (result) => facts.recorder.login(result),
    noteChange: (entry) => {
      facts.recorder.change('done');
      monitor().store.recordChange(entry);
    },
    noteRefusal: (refused, why) => {
      facts.recorder.change(why);
      // Refused changes are recorded only if they come from a known account. Attempts by unknown clients are only
      // counted.
      if (why === 'role') monitor().store.recordRefusal(refused);
    },
    audit: (asked, limit) => findChanges(monitor(), asked, limit),
    metrics: facts.metrics,
    reload: facts.reload,
    probe: (request, signal) => monitor().probes.probe(request, signal),
    probes: () => discoveredProbes(monitor().config),
    health: () => health(facts),
    certificates: () => certificates(monitor()),
    activity: () => activity(facts),
    ...createCharts(monitor, facts.clock),
  };
}

function health({ monitor, stopping }: DaemonFacts): Health {
  const first = monitor().last() !== null;
  return {
    ready: first && !stopping(),
    problems: [
      ...(first ? [] : ['The first round has not finished yet']),
      ...(stopping() ? ['The daemon is stopping'] : []),
      ...judgeAgent(monitor().health()).map(({ claim }) => claim),
    ],
  };
}

function certificates(monitor: Monitor): readonly SeenCertificate[] {
  const tls = monitor.last()?.judged.tls ?? [];
  return tls.flatMap(({ path, judged }) => {
    const { baseline } = monitor.knowledgeOf(path.subject);
    const trusted = baseline === null ? [] : [...baseline.leaves.slice(0, 1), ...baseline.authorities];
    return judged.endpoints.map(({ endpoint, outcome, judgement }) => ({
      target: path.subject,
      address: endpoint.address,
      verdict: judgement.verdict,
      chain: outcome.chain?.certificates ?? [],
      trusted,
    }));
  });
}

function activity({ monitor, startedAt, lastReload }: DaemonFacts): Activity {
  const last = monitor().last()?.observations;
  const counters = monitor().logCounters();
  const { alerting, config } = monitor();
  const pending = alerting.pending();
  return {
    startedAt,
    lastRound: last === undefined ? null : { at: last.startedAt, durationMs: last.durationMs },
    nextRound: monitor().nextRound(),
    lastReload: lastReload(),
    storeWritable: monitor().store.writable(),
    notificationsPending: Object.values(pending).reduce((sum, count) => sum + count, 0),
    states: alerting.states(),
    noChannel: noChannelNote(config.notify),
    logLines: counters === null ? null : logLines(counters),
  };
}

function logLines({ lines, lastReceivedAt }: LogCounters): Activity['logLines'] {
  const received = Object.values(lines)
    .flatMap((results) => Object.values(results))
    .reduce((sum, count) => sum + count, 0);
  const arrivals = [...lastReceivedAt.values()];
  return { received, lastAt: arrivals.length === 0 ? null : Math.max(...arrivals) };
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
