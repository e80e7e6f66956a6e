import type { EpochMs, Millis } from '../../core/clock.ts';
import { utcText } from '../../core/time-text.ts';
import { type Finding, note } from '../../engine/model.ts';
import { isCorroborated } from '../../core/polling/state.ts';
import type { AppliancePolling, PollingError, PollingReport } from '../../core/polling/report.ts';

/** The path from this machine to the licence server. FortiAuthenticator's path is probably similar. */
export const PATH: readonly string[] = ['internet', 'name-resolution', 'reachability', 'tls-genuine', 'license-server'];

/** Time after a repair during which FortiAuthenticator's earlier connections can still time out. */
const AFTERMATH: Millis = 60_000;

export type PreconditionOf = (cause: string) => string;

/** A current or past fault that causes errors in FortiAuthenticator's log. */
export interface FaultSeen {
  readonly precondition: string;
  /** The only affected appliance. Null if every appliance can be affected. */
  readonly appliance: string | null;
  /** Time when the fault was last detected. */
  readonly at: EpochMs;
}

export interface UnexplainedPolling {
  readonly report: PollingReport;
  readonly notes: readonly Finding[];
}

/** The check whose failure explains every connection error. */
const BY_CONNECTION = 'reachability';
const CONNECTION: readonly string[] = [...PATH, 'firewall-policy'];
/** Licence faults do not cause messages about failed connections. */
const OF_CONNECTION = /\bSSL\b|\bconnection\b|\btimeout\b/iu;

/** For example, a TLS fault cannot cause a name resolution error. */
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

/** Only errors that arrived in more than one datagram count. */
export function complainedOf({ appliances }: PollingReport, preconditionOf: PreconditionOf): readonly string[] {
  return [...new Set(appliances.flatMap((appliance) => surelyComplainedOf(appliance, preconditionOf)))];
}

/** Returns the time when any appliance last logged an error that a path fault can cause. A single log line counts. */
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

/** The fields before the message are removed, because they can contain any text. */
function messageOf(sample: string): string {
  return sample.slice(sample.lastIndexOf('="') + 1);
}

export function withLaterSeen(before: readonly FaultSeen[], later: readonly FaultSeen[]): readonly FaultSeen[] {
  return [...later, ...withoutSeen(before, later)];
}

export function withoutSeen(faults: readonly FaultSeen[], others: readonly FaultSeen[]): readonly FaultSeen[] {
  return faults.filter((fault) => !others.some((other) => isSameFault(fault, other)));
}

export function seenIn(faults: readonly FaultSeen[], others: readonly FaultSeen[]): readonly FaultSeen[] {
  return faults.filter((fault) => others.some((other) => isSameFault(fault, other)));
}

function isSameFault(a: FaultSeen, b: FaultSeen): boolean {
  return a.precondition === b.precondition && a.appliance === b.appliance;
}

/** Log errors stay in the time window after the path is repaired, and must not raise a separate alarm then. */
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

/** The fault must be able to cause the error, and was present during or shortly before it. */
function isExplained(error: PollingError, { faults, preconditionOf }: Concerning): boolean {
  const by = explainedBy(error, preconditionOf);
  return faults.some(({ precondition, at }) => by.includes(precondition) && error.lastAt <= at + AFTERMATH);
}

function unexplainedOf(errors: readonly PollingError[], concerning: Concerning): readonly PollingError[] {
  return errors
    .filter((error) => !isExplained(error, concerning))
    .map((error) => withoutExplainedMoments(error, concerning));
}

/** Occurrences during a fault prove nothing about later occurrences, regardless of how the log lines were received. */
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
  const claim = `A known fault explains all errors in the log, the last of which occurred at ${utcText(lastAt)}.`;
  const expected = 'No unexplained FortiToken Mobile errors';
  return note({ rule: 'no-ftm-errors', subject: appliance, claim, expected });
}
