import { CAUSE_IDS, CHECKS, wordsOf } from '../checks/registry.ts';
import { CHANGE_REFUSALS, LOGIN_RESULTS } from '../core/audit.ts';
import type { Config } from '../config/config.ts';
import type { DeliveryResult } from '../engine/incident/journal.ts';
import { CONNECTION_RESULTS, LOG_RESULTS, LOG_SOURCES } from '../core/polling/log-event.ts';
import type { SignatureSet } from '../core/polling/signature.ts';
import { UNNAMED } from '../core/polling/state.ts';
import { CHANNEL_IDS } from '../notify/channels/registry.ts';
import type { Metrics } from './definitions.ts';
import type { ProbeTarget } from '../core/round.ts';

const RESULTS: readonly DeliveryResult[] = ['sent', 'failed', 'rejected', 'expired'];

/** What will be measured under a configuration. */
export interface Expected {
  readonly config: Config;
  readonly signatures: SignatureSet;
  readonly probes: readonly ProbeTarget[];
  /** Targets whose certificates are judged. */
  readonly judged: readonly string[];
}

/**
 * Known series exist at zero from the start: what appears only with the first error cannot be alerted on. Nothing is
 * said of what was not looked at yet: states are unknown, and gauges of measurements come with the first measurement.
 */
export function createZeroSeries(metrics: Metrics, expected: Expected): void {
  zeroStates(metrics, expected);
  zeroLog(metrics, expected);
  for (const result of LOGIN_RESULTS) metrics.webLogins.inc({ result }, 0);
  for (const result of ['done', ...CHANGE_REFUSALS]) metrics.webChanges.inc({ result }, 0);
  for (const channel of CHANNEL_IDS) {
    metrics.notificationsPending.set({ channel }, 0);
    metrics.notificationLastSuccess.inc({ channel }, 0);
    for (const result of RESULTS) metrics.notifications.inc({ channel, result }, 0);
  }
}

/**
 * What was measured under another configuration: its targets may be gone, and a value that nobody refreshes misleads.
 */
export function forgetMeasurements(metrics: Metrics): void {
  metrics.activationReady.remove();
  metrics.sources.forget();
  for (const gauge of [
    metrics.probeSuccess,
    metrics.tlsVerdict,
    metrics.pollingLastError,
    metrics.logLastReceived,
    metrics.licenseAssigned,
  ])
    gauge.reset();
}

/** What was counted of appliances that the configuration no longer names. */
export function forgetAppliances(
  { pollingErrors }: Metrics,
  before: Expected,
  { config }: Pick<Expected, 'config'>,
): void {
  const named = new Set(config.appliances.map(({ name }) => name));
  for (const { name: appliance } of before.config.appliances)
    if (!named.has(appliance))
      for (const { id: signature } of before.signatures.signatures) pollingErrors.remove({ appliance, signature });
}

/** Causes at each severity that they may have: their own, and those that a service's trouble is worth. */
function zeroCauses(metrics: Metrics, { services }: Pick<Config, 'services'>): void {
  metrics.causeActive.reset();
  const others = new Set(services.map(({ severity }) => severity));
  for (const cause of CAUSE_IDS) {
    const { severity, brokenPath } = wordsOf(cause);
    const own = brokenPath === undefined ? [severity] : [severity, 'critical' as const];
    for (const each of [...own, ...others]) metrics.causeActive.set({ cause, severity: each }, 0);
  }
}

function zeroStates(metrics: Metrics, { config, judged }: Expected): void {
  for (const { id } of CHECKS) metrics.preconditionState.set(id, 'unknown');
  zeroCauses(metrics, config);
  for (const target of judged) metrics.tlsVerdict.set(target, 'unknown');
}

function zeroLog(metrics: Metrics, { config, signatures }: Expected): void {
  for (const appliance of [...config.appliances.map(({ name }) => name), UNNAMED]) {
    metrics.pollingLastError.set({ appliance }, 0);
    for (const signature of signatures.signatures)
      if (signature.kind === 'message' && signature.explainOnly !== true)
        metrics.pollingErrors.inc({ appliance, signature: signature.id }, 0);
  }
  for (const result of CONNECTION_RESULTS) metrics.logConnections.inc({ result }, 0);
  for (const source of LOG_SOURCES) for (const result of LOG_RESULTS) metrics.logLines.inc({ source, result }, 0);
}
