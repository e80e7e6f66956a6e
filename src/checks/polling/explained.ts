import type { EpochMs, Millis } from '../../core/clock.ts';
import { utcText } from '../../core/time-text.ts';
import { type Finding, note } from '../../engine/model.ts';
import { isCorroborated } from '../../core/polling/state.ts';
import type { AppliancePolling, PollingError, PollingReport } from '../../core/polling/report.ts';

/** From this machine to the licence server, and so probably of FortiAuthenticator's way too. */
export const PATH: readonly string[] = ['internet', 'name-resolution', 'reachability', 'tls-genuine', 'license-server'];

/** FortiAuthenticator gives up on a connection that it began before the repair as late as this. */
const AFTERMATH: Millis = 60_000;

/** The precondition that a cause breaks. */
export type PreconditionOf = (cause: string) => string;

/** Something that is or was broken and makes FortiAuthenticator complain. */
export interface FaultSeen {
  readonly precondition: string;
  /** The one appliance that suffers from it; null: any may. */
  readonly appliance: string | null;
  /** When it was seen last. */
  readonly at: EpochMs;
}

export interface UnexplainedPolling {
  /** Without the errors that these faults explain. */
  readonly report: PollingReport;
  /** What was left out, as notes. */
  readonly notes: readonly Finding[];
}

/** What explains every complaint of a connection. */
const BY_CONNECTION = 'reachability';
const CONNECTION: readonly string[] = [...PATH, 'firewall-policy'];
/** The text says that the connection failed: no licence does that. */
const OF_CONNECTION = /\bSSL\b|\bconnection\b|\btimeout\b/iu;

/** The preconditions whose fault can cause an error: mail is not lost because of a licence, nor a name of TLS. */
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

/** What can be the matter, for what an appliance complains of: more than one datagram must tell of the same. */
export function complainedOf({ appliances }: PollingReport, preconditionOf: PreconditionOf): readonly string[] {
  return [...new Set(appliances.flatMap((appliance) => surelyComplainedOf(appliance, preconditionOf)))];
}

/** When an appliance last complained of what a fault of the path can cause; null: none does. One line is enough. */
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

/** Behind the fields, in which anything may stand. */
function messageOf(sample: string): string {
  return sample.slice(sample.lastIndexOf('="') + 1);
}

/** Those of both, each as it was seen last. */
export function withLaterSeen(before: readonly FaultSeen[], later: readonly FaultSeen[]): readonly FaultSeen[] {
  return [...later, ...withoutSeen(before, later)];
}

/** Those that are not among the others. */
export function withoutSeen(faults: readonly FaultSeen[], others: readonly FaultSeen[]): readonly FaultSeen[] {
  return faults.filter((fault) => !others.some((other) => isSameFault(fault, other)));
}

/** Those that are among the others too. */
export function seenIn(faults: readonly FaultSeen[], others: readonly FaultSeen[]): readonly FaultSeen[] {
  return faults.filter((fault) => others.some((other) => isSameFault(fault, other)));
}

function isSameFault(a: FaultSeen, b: FaultSeen): boolean {
  return a.precondition === b.precondition && a.appliance === b.appliance;
}

/**
 * Errors stay in the window for a while after the path is repaired. What FortiAuthenticator complained of until then is
 * explained, and must not raise an alarm of its own when the explanation is gone.
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

/** Whether one of these faults can cause an error, and was there when the error came, or just before. */
function isExplained(error: PollingError, { faults, preconditionOf }: Concerning): boolean {
  const by = explainedBy(error, preconditionOf);
  return faults.some(({ precondition, at }) => by.includes(precondition) && error.lastAt <= at + AFTERMATH);
}

function unexplainedOf(errors: readonly PollingError[], concerning: Concerning): readonly PollingError[] {
  return errors
    .filter((error) => !isExplained(error, concerning))
    .map((error) => withoutExplainedMoments(error, concerning));
}

/** What came while the fault lasted says nothing about what came after it, over whichever way it came. */
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
