import type { EventEmitter } from 'node:events';
import { unitAddresses } from './conclude.ts';
import type { Clock, EpochMs } from '../core/clock.ts';
import type { LogCounters } from '../logs/tally.ts';
import type { Diagnosis } from '../engine/model.ts';
import { noChannelNote, channelWords } from '../notify/channels/registry.ts';
import { exposureNotes } from '../web/access.ts';
import type { Activity, Health, ReloadOutcome, SeenCertificate, WebSources, DiscoveredProbe } from '../web/sources.ts';
import {
  collectIncidents,
  createAlertHistory,
  findChanges,
  findIncidents,
  incidentRecord,
} from './incident-records.ts';
import { createCharts } from './charts.ts';
import { ownCertificateProblems } from './own-certificate.ts';
import { controlPlace } from './store-places.ts';
import type { Monitor } from './monitor.ts';
import type { Recorder } from '../metrics/recorder.ts';
import type { Config } from '../config/config.ts';
import { authority } from '../core/addresses.ts';
import { isGivenUp, type Delivery, type OutboxEntry } from '../engine/incident/incident.ts';
import { counted } from '../core/visible-text.ts';

interface DaemonFacts {
  readonly clock: Clock;
  readonly env: NodeJS.ProcessEnv;
  readonly version: string;
  readonly begun: Promise<void>;
  readonly startedAt: EpochMs;
  /** A function, because a reload replaces the monitor. */
  readonly monitor: () => Monitor;
  readonly feed: EventEmitter<{ diagnosis: [Diagnosis] }>;
  readonly stopping: () => boolean;
  readonly lastReload: () => Activity['lastReload'];
  readonly recorder: Recorder;
  readonly certificateEnd: () => EpochMs | null;
  readonly metrics: WebSources['metrics'];
  readonly reload: () => Promise<ReloadOutcome>;
}

export function createWebSources(facts: DaemonFacts): WebSources {
  const { monitor } = facts;
  const alertHistory = createAlertHistory(monitor, facts.clock);
  return {
    version: facts.version,
    controlSocket: () => controlPlace(monitor().config.store.path, facts.env).socket,
    begun: facts.begun,
    site: () => monitor().config.site,
    timezone: () => monitor().config.timezone,
    publicUrl: () => monitor().config.web.publicUrl,
    diagnosis: () => monitor().last()?.diagnosis ?? null,
    alertHistory,
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
    onDiagnosis: (listener) => {
      facts.feed.on('diagnosis', listener);
      return () => facts.feed.off('diagnosis', listener);
    },
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
    health: () => health(facts, alertHistory),
    certificates: () => certificates(monitor()),
    activity: () => activity(facts),
    ...createCharts(monitor, facts.clock),
  };
}

function health(facts: DaemonFacts, alertHistory: WebSources['alertHistory']): Health {
  const { clock, monitor, stopping, lastReload, certificateEnd } = facts;
  const { alerting, store } = monitor();
  const first = monitor().last() !== null;
  return {
    ready: first && !stopping(),
    problems: [
      ...(first ? [] : ['The first round has not finished yet']),
      ...(stopping() ? ['The daemon is stopping'] : []),
      ...(store.writable() ? [] : [store.newer() ?? 'Cannot write the history (see the log)']),
      ...(lastReload()?.taken === false
        ? ['The last reload was rejected. The previous configuration is still active']
        : []),
      ...exposureNotes(monitor().config.web),
      ...ownCertificateProblems('the status page', certificateEnd(), clock.now(), monitor().config.timezone),
      ...givenUpProblems({
        outboxEntries: alertHistory().outboxEntries,
        givenUp: store.journal.givenUp(),
        isRecipient: (to) => alerting.isRecipient(to),
      }),
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

interface NotificationRecords {
  /** Finished deliveries and those in progress, latest first. */
  readonly outboxEntries: readonly OutboxEntry[];
  /** Abandoned deliveries about incidents that are still open. */
  readonly givenUp: readonly OutboxEntry[];
  readonly isRecipient: (to: Pick<Delivery, 'channel' | 'recipient'>) => boolean;
}

/**
 * After an abandoned notification, a recipient counts as not reached until a later notification is delivered. The
 * sentences do not contain names, because everyone with access to the readiness endpoint can read them.
 */
export function givenUpProblems({ outboxEntries, givenUp, isRecipient }: NotificationRecords): readonly string[] {
  const last = new Map<string, Delivery>();
  for (const { delivery } of outboxEntries)
    if (isOver(delivery) && !last.has(nameOf(delivery))) last.set(nameOf(delivery), delivery);
  for (const { delivery } of givenUp) last.set(nameOf(delivery), delivery);
  const untold = [...last.values()].filter((delivery) => isGivenUp(delivery) && isRecipient(delivery));
  return [...Map.groupBy(untold, ({ channel }) => channel)].map(
    ([channel, { length }]) =>
      `Notifications by ${channelWords(channel).name} were rejected or abandoned for ${counted(length, 'recipient')} ` +
      '(see the status page and the log)',
  );
}

function isOver(delivery: Delivery): boolean {
  return delivery.status === 'sent' || isGivenUp(delivery);
}

function nameOf({ channel, recipient }: Delivery): string {
  return `${channel} ${recipient}`;
}
