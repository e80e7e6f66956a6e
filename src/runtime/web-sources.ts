import type { EventEmitter } from 'node:events';
import type { Clock, EpochMs } from '../core/clock.ts';
import type { LogCounters } from '../sources/log/tally.ts';
import type { Diagnosis } from '../engine/diagnosis.ts';
import { createMaintenance, type Maintenance } from '../notify/maintenance.ts';
import { noChannelNote } from '../notify/no-channel.ts';
import type { MaintenancePlan } from '../web/alert-history.ts';
import type { Activity, Health, ReloadOutcome, SeenCertificate, WebSources } from '../web/sources.ts';
import { createChronicle } from './alert-history-of.ts';
import { createPast } from './chart-data-of.ts';
import { givenUpProblems } from './given-up-problems.ts';
import type { Monitor } from './monitor.ts';

/** What of the daemon the page needs besides the watch. */
export interface DaemonFacts {
  readonly clock: Clock;
  readonly version: string;
  readonly startedAt: EpochMs;
  /** The one in force: a reload puts another in its place. */
  readonly watch: () => Monitor;
  /** Emits each diagnosis. */
  readonly feed: EventEmitter<{ diagnosis: [Diagnosis] }>;
  readonly stopping: () => boolean;
  readonly lastReload: () => Activity['lastReload'];
  readonly metrics: WebSources['metrics'];
  readonly reload: () => Promise<ReloadOutcome>;
}

export function createWebSources(facts: DaemonFacts): WebSources {
  const { watch } = facts;
  const chronicle = createChronicle(watch, facts.clock);
  return {
    version: facts.version,
    site: () => watch().config.site,
    diagnosis: () => watch().last()?.diagnosis ?? null,
    chronicle,
    maintenance: createMaintenancePlan(watch, facts.clock),
    silences: () => watch().alerting.silences(),
    silence: (request) => watch().alerting.silence(request),
    unsilence: (id) => watch().alerting.unsilence(id),
    onDiagnosis: (listener) => {
      facts.feed.on('diagnosis', listener);
      return () => facts.feed.off('diagnosis', listener);
    },
    metrics: facts.metrics,
    reload: facts.reload,
    probe: (request, signal) => watch().probes.probe(request, signal),
    health: () => health(facts, chronicle),
    certificates: () => certificates(watch()),
    activity: () => activity(facts),
    past: createPast(watch, facts.clock),
  };
}

/** The windows of the configuration in force. */
function createMaintenancePlan(watch: () => Monitor, clock: Clock): () => MaintenancePlan {
  let made: { readonly of: Monitor; readonly maintenance: Maintenance } | null = null;
  return () => {
    const of = watch();
    if (made?.of !== of) made = { of, maintenance: createMaintenance(of.config.notify.maintenance) };
    return made.maintenance.outlook(clock.now());
  };
}

function health({ watch, stopping, lastReload }: DaemonFacts, chronicle: WebSources['chronicle']): Health {
  const { alerting, store } = watch();
  const first = watch().last() !== null;
  return {
    ready: first && !stopping(),
    problems: [
      ...(first ? [] : ['The first round is not done yet']),
      ...(stopping() ? ['It is stopping'] : []),
      ...(store.writable() ? [] : [store.newer() ?? 'History cannot be written: see the log']),
      ...(lastReload()?.taken === false
        ? ['The last reload was refused: the configuration before it is still in force']
        : []),
      ...givenUpProblems({
        outboxEntries: chronicle().outboxEntries,
        givenUp: store.journal.givenUp(),
        isRecipient: (to) => alerting.isRecipient(to),
      }),
    ],
  };
}

function certificates(watch: Monitor): readonly SeenCertificate[] {
  const tls = watch.last()?.judged.tls ?? [];
  return tls.flatMap(({ path, judged }) => {
    const { baseline } = watch.knowledgeOf(path.subject);
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

function activity({ watch, startedAt, lastReload }: DaemonFacts): Activity {
  const last = watch().last()?.observations;
  const counters = watch().logCounters();
  const { alerting, config } = watch();
  const pending = alerting.pending();
  return {
    startedAt,
    lastRound: last === undefined ? null : { at: last.startedAt, durationMs: last.durationMs },
    nextRound: watch().nextRound(),
    lastReload: lastReload(),
    storeWritable: watch().store.writable(),
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
