import type { EpochMs, Millis } from '../../core/clock.ts';
import {
  type AppliancePolling,
  type PollingError,
  type PollingReport,
  withoutLines,
} from '../../core/polling/report.ts';
import { isSufficientEvidence } from '../../core/polling/state.ts';
import { utcText } from '../../core/time-text.ts';
import { type Finding, note } from '../../engine/model.ts';
import type { FaultSeen, HeardLog } from '../check.ts';

/** The path from this machine to the licence server. FortiAuthenticator probably uses a similar path. */
export const PATH: readonly string[] = ['internet', 'name-resolution', 'reachability', 'tls-genuine', 'license-server'];

/** After a repair, FortiAuthenticator's earlier connections may still time out for this long. */
const AFTERMATH: Millis = 60_000;

export type PreconditionOf = (cause: string) => string;

/** The check whose failure explains every connection error. */
const BY_CONNECTION = 'reachability';
const CONNECTION: readonly string[] = [...PATH, 'firewall-policy'];
/** Licence faults do not cause log messages about failed connections. */
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

/** Returns the preconditions whose failure can cause the unexplained errors. Only corroborated errors count. */
export function complainedOf(log: ExplainableLog): readonly string[] {
  const { appliances } = unexplained(log);
  return [...new Set(appliances.flatMap((appliance) => surelyComplainedOf(appliance, log.preconditionOf)))];
}

/**
 * Returns the time when any appliance last logged an error that a path fault can cause. A single log line is
 * sufficient.
 */
export function complainedOfPathAt({ appliances }: PollingReport, preconditionOf: PreconditionOf): EpochMs | null {
  const times = appliances
    .flatMap(({ errors }) => errors)
    .filter((error) => isOfPath(error, preconditionOf))
    .map(({ lastAt }) => lastAt);
  return times.length === 0 ? null : Math.max(...times);
}

export function isOfPath(error: PollingError, preconditionOf: PreconditionOf): boolean {
  return error.severity === 'critical' && explainedBy(error, preconditionOf).includes(BY_CONNECTION);
}

function surelyComplainedOf({ errors }: AppliancePolling, preconditionOf: PreconditionOf): readonly string[] {
  const complaints = errors
    .filter(({ severity }) => severity !== 'info')
    .map((error) => ({ error, by: explainedBy(error, preconditionOf) }));
  return complaints
    .flatMap(({ by }) => by)
    .filter((id) => isSufficientEvidence(complaints.filter(({ by }) => by.includes(id)).map(({ error }) => error)));
}

/** Fields that follow the message in the raw export. */
const AFTER_MESSAGE = /" user="[^"]*"(?: requestid=\S*)?$/u;

/** The fields around the message are removed, because they can contain any text. */
function messageOf(sample: string): string {
  const untilMessage = sample.replace(AFTER_MESSAGE, '');
  return untilMessage.slice(untilMessage.lastIndexOf('="') + 1);
}

/** More than there are in a time window of the log. */
const MOST_SEEN = 100;

export function withLaterSeen(before: readonly FaultSeen[], later: readonly FaultSeen[]): readonly FaultSeen[] {
  return [...later, ...withoutSeen(before, later)].slice(0, MOST_SEEN);
}

/** Returns the faults, with the time since which they last according to the previous round. */
export function lastingSince(faults: readonly FaultSeen[], before: readonly FaultSeen[]): readonly FaultSeen[] {
  return faults.map((fault) => {
    const known = before.find((other) => isOfOne(fault, other));
    return known === undefined ? fault : { ...fault, since: known.since };
  });
}

export function withoutSeen(faults: readonly FaultSeen[], others: readonly FaultSeen[]): readonly FaultSeen[] {
  return faults.filter((fault) => !others.some((other) => isSameFault(fault, other)));
}

export function seenIn(faults: readonly FaultSeen[], others: readonly FaultSeen[]): readonly FaultSeen[] {
  return faults.filter((fault) => others.some((other) => isSameFault(fault, other)));
}

function isOfOne(a: FaultSeen, b: FaultSeen): boolean {
  return a.precondition === b.precondition && a.appliance === b.appliance;
}

function isSameFault(a: FaultSeen, b: FaultSeen): boolean {
  return isOfOne(a, b) && a.since === b.since;
}

type ExplainableLog = Pick<HeardLog, 'report' | 'faultsSeen' | 'lasting' | 'preconditionOf'>;

/** Returns the log without the errors that a fault which has ended explains. */
export function unexplained(log: ExplainableLog): PollingReport {
  const over = withoutSeen(log.faultsSeen, log.lasting);
  return withoutExplained(log.report, () => over, log.preconditionOf).report;
}

interface ExplainedPolling {
  /** Without the errors that a fault explains, unless they are evidence for it. */
  readonly report: PollingReport;
  /** Whether active faults explain only some of the errors, so that the errors are evidence for none of them. */
  readonly isPartlyExplained: (part: Pick<PollingError, 'reliable'>) => boolean;
  readonly notes: readonly Finding[];
}

/**
 * A fault explains an error in FortiAuthenticator's log if it can cause this error and was active at that time. The
 * explanation remains valid after the fault has ended, and its errors are never evidence for a later fault. If active
 * faults explain all other errors, these errors count as evidence for these faults. If active faults explain only some
 * of the errors, the errors do not count as evidence. This applies separately to reliable lines and to lines that
 * anybody can write.
 */
export function explained({ report, faultsSeen, lasting, preconditionOf }: ExplainableLog): ExplainedPolling {
  const all = withLaterSeen(faultsSeen, lasting);
  const over = withoutSeen(faultsSeen, lasting);
  const left = withoutExplained(report, () => all, preconditionOf).report.appliances.flatMap(({ errors }) => errors);
  const open = left.filter(({ severity }) => severity !== 'info').map(({ reliable }) => reliable);
  const isPartlyExplained = ({ reliable }: Pick<PollingError, 'reliable'>): boolean => open.includes(reliable);
  return {
    ...withoutExplained(report, (error) => (isPartlyExplained(error) ? all : over), preconditionOf),
    isPartlyExplained,
  };
}

/**
 * Errors from the log remain in the time window after the path has been repaired, but must not raise a separate alarm.
 * @param faultsFor the faults that may explain the error
 */
export function withoutExplained(
  report: PollingReport,
  faultsFor: (error: PollingError) => readonly FaultSeen[],
  preconditionOf: PreconditionOf,
): Pick<ExplainedPolling, 'report' | 'notes'> {
  const parts = report.appliances.map((appliance) => {
    const { name, errors } = appliance;
    // The fault must be able to cause the error, and must have been present during or shortly before it.
    const isExplained = (error: PollingError): boolean => {
      const by = explainedBy(error, preconditionOf);
      return faultsFor(error).some(
        (fault) =>
          (fault.appliance === null || fault.appliance === name) &&
          by.includes(fault.precondition) &&
          error.lastAt <= fault.at + AFTERMATH,
      );
    };
    const times = errors.filter(isExplained).map(({ lastAt }) => lastAt);
    const left = errors
      .filter((error) => !isExplained(error))
      .map((error) => withoutLines(error, (lastAt) => isExplained({ ...error, lastAt })));
    return {
      appliance: { ...appliance, errors: left },
      notes: times.length === 0 ? [] : [explainedNote(name, Math.max(...times))],
    };
  });
  return {
    report: { ...report, appliances: parts.map(({ appliance }) => appliance) },
    notes: parts.flatMap(({ notes }) => notes),
  };
}

function explainedNote(appliance: string, lastAt: EpochMs): Finding {
  const claim = `A known fault explains all errors in the log, the last of which occurred at ${utcText(lastAt)}.`;
  const expected = 'No unexplained FortiToken Mobile errors';
  return note({ rule: 'no-ftm-errors', subject: appliance, claim, expected });
}
