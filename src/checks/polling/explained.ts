import type { EpochMs, Millis } from '../../core/clock.ts';
import { utcText } from '../../core/time-text.ts';
import { type Finding, note } from '../../engine/model.ts';
import { isCorroborated } from '../../core/polling/state.ts';
import type { AppliancePolling, PollingError, PollingReport } from '../../core/polling/report.ts';

/** From this machine to the licence server. FortiAuthenticator's path is probably similar. */
export const PATH: readonly string[] = ['internet', 'name-resolution', 'reachability', 'tls-genuine', 'license-server'];

/** A connection that FortiAuthenticator started before the repair can time out this long after it. */
const AFTERMATH: Millis = 60_000;

/** Returns the precondition that a cause breaks. */
export type PreconditionOf = (cause: string) => string;

/** A present or past fault that causes errors in FortiAuthenticator's log. */
export interface FaultSeen {
  readonly precondition: string;
  /** The only affected appliance; null if any can be affected. */
  readonly appliance: string | null;
  /** When it was seen last. */
  readonly at: EpochMs;
}

export interface UnexplainedPolling {
  /** The report without the errors that these faults explain. */
  readonly report: PollingReport;
  /** Notes about the errors that were left out. */
  readonly notes: readonly Finding[];
}

/** Explains every connection error. */
const BY_CONNECTION = 'reachability';
const CONNECTION: readonly string[] = [...PATH, 'firewall-policy'];
/** The text reports a failed connection, which a licence does not cause. */
const OF_CONNECTION = /\bSSL\b|\bconnection\b|\btimeout\b/iu;

/**
 * Returns the preconditions whose fault can cause an error. A licence does not affect mail, for example, and TLS does
 * not affect name resolution.
 */
export function explainedBy(
  { cause, sample }: Pick<PollingError, 'cause' | 'sample'>,
  preconditionOf: PreconditionOf,
): readonly string[] {
  if (cause === null || cause === 'polling-failing')
    return OF_CONNECTION.test(messageOf(sample)) ? CONNECTION : [...CONNECTION, 'license-assignment'];
  const precondition = preconditionOf(cause);
  if (precondition === 'mail') return ['mail', 'internet', 'name-resolution'];
  if (precondition === 'name-resolution') return ['internet', 'name-resolution'];
  return CONNECTION.includes(precondition) ? CONNECTION : [precondition];
}

/**
 * Returns the preconditions that can cause an appliance's errors. More than one datagram must report the same error.
 */
export function complainedOf({ appliances }: PollingReport, preconditionOf: PreconditionOf): readonly string[] {
  return [...new Set(appliances.flatMap((appliance) => surelyComplainedOf(appliance, preconditionOf)))];
}

/** Returns when an appliance last logged an error that a path fault can cause; null if none did. One line is enough. */
export function complainedOfPathAt({ appliances }: PollingReport, preconditionOf: PreconditionOf): EpochMs | null {
  const times = appliances
    .flatMap(({ errors }) => errors)
    .filter((error) => error.severity === 'critical' && explainedBy(error, preconditionOf).includes(BY_CONNECTION))
    .map(({ lastAt }) => lastAt);
  return times.length === 0 ? null : Math.max(...times);
}

function surelyComplainedOf({ errors }: AppliancePolling, preconditionOf: PreconditionOf): readonly string[] {
  const complaints = errors
    .filter(({ severity }) => severity !== 'info')
    .map((error) => ({ error, by: explainedBy(error, preconditionOf) }));
  return complaints
    .flatMap(({ by }) => by)
    .filter((id) => isCorroborated(complaints.filter(({ by }) => by.includes(id)).map(({ error }) => error)));
}

/** Returns the message of a log line. It follows the fields, which can contain anything. */
function messageOf(sample: string): string {
  return sample.slice(sample.lastIndexOf('="') + 1);
}

/** Returns the faults from either list, each with its latest time. */
export function withLaterSeen(before: readonly FaultSeen[], later: readonly FaultSeen[]): readonly FaultSeen[] {
  return [...later, ...withoutSeen(before, later)];
}

/** Returns the faults that are not in the other list. */
export function withoutSeen(faults: readonly FaultSeen[], others: readonly FaultSeen[]): readonly FaultSeen[] {
  return faults.filter((fault) => !others.some((other) => isSameFault(fault, other)));
}

/** Returns the faults that are in the other list too. */
export function seenIn(faults: readonly FaultSeen[], others: readonly FaultSeen[]): readonly FaultSeen[] {
  return faults.filter((fault) => others.some((other) => isSameFault(fault, other)));
}

function isSameFault(a: FaultSeen, b: FaultSeen): boolean {
  return a.precondition === b.precondition && a.appliance === b.appliance;
}

/**
 * Removes explained errors. Errors remain in the window for a while after the path is repaired. Errors from before the
 * repair are explained and must not raise a separate alarm when the explanation is gone.
 */
export function withoutExplained(
  report: PollingReport,
  faults: readonly FaultSeen[],
  preconditionOf: PreconditionOf,
): UnexplainedPolling {
  const parts = report.appliances.map((appliance) => {
    const { name, errors } = appliance;
    const own = faults.filter((fault) => fault.appliance === null || fault.appliance === name);
    const concerning = { faults: own, preconditionOf };
    const explained = errors.filter((error) => isExplained(error, concerning)).map(({ lastAt }) => lastAt);
    return {
      appliance: { ...appliance, errors: unexplainedOf(errors, concerning) },
      notes: explained.length === 0 ? [] : [explainedNote(name, Math.max(...explained))],
    };
  });
  return {
    report: { ...report, appliances: parts.map(({ appliance }) => appliance) },
    notes: parts.flatMap(({ notes }) => notes),
  };
}

interface Concerning {
  readonly faults: readonly FaultSeen[];
  readonly preconditionOf: PreconditionOf;
}

/** Reports whether one of these faults can cause an error and was present when the error occurred or just before. */
function isExplained(error: PollingError, { faults, preconditionOf }: Concerning): boolean {
  const by = explainedBy(error, preconditionOf);
  return faults.some(({ precondition, at }) => by.includes(precondition) && error.lastAt <= at + AFTERMATH);
}

function unexplainedOf(errors: readonly PollingError[], concerning: Concerning): readonly PollingError[] {
  return errors
    .filter((error) => !isExplained(error, concerning))
    .map((error) => withoutExplainedMoments(error, concerning));
}

/**
 * Removes the times that a fault explains. Errors during the fault say nothing about later ones, whichever way they
 * were received.
 */
function withoutExplainedMoments(error: PollingError, concerning: Concerning): PollingError {
  const isUnexplained = (lastAt: EpochMs): boolean => !isExplained({ ...error, lastAt }, concerning);
  const { moments, reliableAt } = error;
  return {
    ...error,
    moments: moments.filter(isUnexplained),
    reliableAt: reliableAt !== null && isUnexplained(reliableAt) ? reliableAt : null,
  };
}

function explainedNote(appliance: string, lastAt: EpochMs): Finding {
  const claim = `A known fault explains all errors in the log, the last one at ${utcText(lastAt)}.`;
  const expected = 'No FTM errors that no fault explains';
  return note({ rule: 'no-ftm-errors', subject: appliance, claim, expected });
}
