import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { VERDICTS } from '../checks/tls-genuine/chain-case.ts';
import { PRECONDITION_STATES } from '../engine/model.ts';

/**
 * Label values come only from the configuration and from unions in core/, never from network data. The names of
 * metrics and labels are part of the public API.
 */
export type Metrics = Readonly<ReturnType<typeof defineAll>>;

export function defineMetrics(registry: Registry): Metrics {
  return defineAll(makers(registry));
}

function defineAll(define: Makers) {
  return {
    ...defineObservedMetrics(define),
    ...definePathMetrics(define),
    ...defineFacMetrics(define),
    ...defineOwnMetrics(define),
    ...defineWebMetrics(define),
    ...defineProcessMetrics(define),
  };
}

function defineObservedMetrics({ gauge }: Makers) {
  return {
    certificateNotAfter: gauge(
      'ftm_tls_certificate_not_after_timestamp_seconds',
      'Expiry date of the certificate that a target presented most recently',
      ['target'],
    ),
    dnsAnswerTtl: gauge('ftm_dns_answer_ttl_seconds', "Time to live of the DNS answer for the licence server's name", [
      'resolver',
    ]),
    dnsAnswersExpected: gauge(
      'ftm_dns_answers_expected',
      '1 if a resolver returned only expected addresses for the licence server',
      ['resolver'],
    ),
    tokens: gauge('ftm_tokens', 'FortiToken Mobile tokens on an appliance', ['appliance', 'status']),
    tokensLocked: gauge('ftm_tokens_locked', 'Locked FortiToken Mobile tokens on an appliance', [
      'appliance',
      'status',
    ]),
    tokensLicensed: gauge('ftm_tokens_licensed', "FortiToken Mobile tokens that an appliance's licence allows", [
      'appliance',
    ]),
    outsideNetworks: gauge(
      'ftm_outside_networks',
      'Other networks, by what they see of the licence server; only while a fault is suspected',
      ['result'],
    ),
    outsideMeasured: gauge(
      'ftm_outside_measured_timestamp_seconds',
      'Time of the measurement from other networks that is used; only while a fault is suspected',
      ['measurement'],
    ),
    peerReadable: gauge(
      'ftm_peer_readable',
      '1 if the status of another agent at the site could be read, otherwise 0',
      ['peer'],
    ),
  };
}

/**
 * In seconds. These buckets are sufficient to distinguish nearby, distant, slow and nearly unusable connections. Each
 * bucket adds one series per probe and target.
 */
const DURATION_BUCKETS = [0.05, 0.25, 1, 5];

function definePathMetrics({ gauge, counter, histogram, states }: Makers) {
  return {
    activationReady: gauge(
      'ftm_activation_ready',
      '1 if FortiToken Mobile activation can work, 0 if a precondition is broken, absent while unknown',
    ),
    preconditionState: states(
      'ftm_precondition_state',
      '1 for the current state of a precondition',
      ['precondition', 'state'],
      PRECONDITION_STATES,
    ),
    causeActive: gauge('ftm_cause_active', '1 while an incident with this root cause is open', ['cause', 'severity']),
    incidentOpen: gauge(
      'ftm_incident_open',
      '1 for each open incident, at most 50; subjects that are not in the configuration are labelled "other"',
      ['cause', 'severity', 'subject'],
    ),
    probeSuccess: gauge('ftm_probe_success', '1 if the last run of a probe succeeded', ['probe', 'target']),
    probeDuration: histogram('ftm_probe_duration_seconds', 'Duration of probe runs', DURATION_BUCKETS, [
      'probe',
      'target',
    ]),
    probeRuns: counter('ftm_probe_runs_total', 'Probe runs', ['probe', 'target']),
    probeFailures: counter('ftm_probe_failures_total', 'Probe runs that failed', ['probe', 'target', 'reason']),
    tlsVerdict: states(
      'ftm_tls_verdict',
      "1 for the current verdict on a target's certificate chain",
      ['target', 'verdict'],
      VERDICTS,
    ),
  };
}

function defineFacMetrics({ gauge, counter }: Makers) {
  return {
    pollingErrors: counter('ftm_polling_errors_total', "FortiToken Mobile errors in an appliance's log", [
      'appliance',
      'signature',
    ]),
    pollingLastError: gauge(
      'ftm_polling_last_error_timestamp_seconds',
      "Time of the last FortiToken Mobile error in an appliance's log",
      ['appliance'],
    ),
    logLines: counter('ftm_log_lines_total', 'Log lines received', ['source', 'result']),
    logConnections: counter('ftm_log_connections_total', 'Connections from log senders by outcome', ['result']),
    logConnectionsOpen: gauge('ftm_log_connections_open', 'Open connections from log senders'),
    logLastReceived: gauge('ftm_log_last_received_timestamp_seconds', 'Time of the last log line from an appliance', [
      'appliance',
    ]),
    licenseAssigned: gauge('ftm_license_assigned', '1 if a licence is registered to this appliance', [
      'appliance',
      'license',
    ]),
  };
}

const LAG_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];

function defineOwnMetrics({ gauge, counter, histogram }: Makers) {
  return {
    notifications: counter(
      'ftm_notifications_total',
      'Attempts to deliver notifications by outcome: sent, failed (will be retried), rejected or expired (not retried)',
      ['channel', 'result'],
    ),
    notificationsPending: gauge('ftm_notifications_pending', 'Notifications not yet delivered', ['channel']),
    notificationLastSuccess: gauge(
      'ftm_notification_last_success_timestamp_seconds',
      'Time of the last delivered notification',
      ['channel'],
    ),
    maintenanceActive: gauge('ftm_maintenance_active', '1 while a maintenance window holds back notifications'),
    reloadSuccessful: gauge('ftm_config_last_reload_successful', '1 if the last reload of the configuration succeeded'),
    reloadSuccessTime: gauge(
      'ftm_config_last_reload_success_timestamp_seconds',
      'Time of the last successful reload of the configuration',
    ),
    missedRuns: counter('ftm_schedule_missed_runs_total', 'Scheduled runs that were skipped or overdue'),
    scheduleLag: histogram('ftm_schedule_lag_seconds', 'Delay of scheduled runs', [0.01, 0.05, 0.1, 0.5, 1, 2, 5, 30]),
    roundDuration: gauge('ftm_round_duration_seconds', 'Duration of the last round of probes'),
    eventLoopLag: histogram(
      'ftm_event_loop_lag_seconds',
      'Event loop lag, measured every 15 seconds, plus the longest lag in each round',
      LAG_BUCKETS,
    ),
    pushFailures: counter(
      'ftm_metrics_push_failures_total',
      'Failed attempts to push metrics over OTLP; 0 if metrics.otlp is not set',
    ),
    storeWritable: gauge('ftm_store_writable', '1 if history can be written'),
    storeNewer: gauge(
      'ftm_store_newer',
      '1 if the history was written by a newer version of ftm-watch and therefore cannot be changed',
    ),
    siteInfo: gauge('ftm_site_info', 'Configured name of the site', ['configured_site']),
    buildInfo: gauge('ftm_build_info', 'Versions of ftm-watch and Node.js', ['version', 'node']),
  };
}

function defineWebMetrics({ gauge, counter }: Makers) {
  return {
    webLogins: counter(
      'ftm_web_logins_total',
      'Requests with a login by outcome: accepted, refused, or limited (too many failed or pending logins)',
      ['result'],
    ),
    webChanges: counter('ftm_web_changes_total', 'Requested silences and reloads by outcome', ['result']),
    ownCertificateEnd: gauge(
      'ftm_web_certificate_expiry_timestamp_seconds',
      "Expiry date of the status page's certificate; no sample if web.tls is not set",
    ),
  };
}

/** The names are the same as in the Prometheus client libraries. */
function defineProcessMetrics({ gauge, counter }: Makers) {
  return {
    processCpu: counter('process_cpu_seconds_total', 'User and system time of this process'),
    processStart: gauge('process_start_time_seconds', 'Start time of this process'),
    residentMemory: gauge('process_resident_memory_bytes', 'Resident memory of this process'),
    virtualMemory: gauge('process_virtual_memory_bytes', 'Virtual memory of this process'),
    openFiles: gauge('process_open_fds', 'Open files and sockets'),
    mostFiles: gauge('process_max_fds', 'Maximum number of open files and sockets'),
    heapUsed: gauge('nodejs_heap_size_used_bytes', 'Used size of the Node.js heap'),
    heapTotal: gauge('nodejs_heap_size_total_bytes', 'Size of the Node.js heap'),
    externalMemory: gauge('nodejs_external_memory_bytes', 'Size of Node.js buffers outside of the heap'),
    nodeInfo: gauge('nodejs_version_info', 'Version of Node.js', ['version']),
  };
}

type Makers = ReturnType<typeof makers>;

function makers(registry: Registry) {
  const registers = [registry];
  return {
    gauge: <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
      new Gauge({ registers, name, help, labelNames }),
    counter: <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
      new Counter({ registers, name, help, labelNames }),
    histogram: <Label extends string>(name: string, help: string, buckets: number[], labelNames: Label[] = []) =>
      new Histogram({ registers, name, help, labelNames, buckets }),
    states: <State extends string>(
      name: string,
      help: string,
      labels: readonly [thing: string, state: string],
      all: readonly State[],
    ) => new StateSet(new Gauge({ registers, name, help, labelNames: [...labels] }), labels, all),
  };
}

/**
 * One series per state, as in OpenMetrics StateSets: 1 for the current state, 0 for the others. Setting the same state
 * again costs nothing.
 */
class StateSet<State extends string> {
  readonly #gauge: Gauge;
  readonly #thing: string;
  readonly #state: string;
  readonly #states: readonly State[];
  readonly #current = new Map<string, State | null>();

  constructor(gauge: Gauge, [thing, state]: readonly [thing: string, state: string], states: readonly State[]) {
    this.#gauge = gauge;
    this.#thing = thing;
    this.#state = state;
    this.#states = states;
  }

  set(thing: string, current: State | null): void {
    if (this.#current.get(thing) === current) return;
    this.#current.set(thing, current);
    for (const state of this.#states)
      this.#gauge.set({ [this.#thing]: thing, [this.#state]: state }, state === current ? 1 : 0);
  }

  reset(): void {
    this.#current.clear();
    this.#gauge.reset();
  }
}
