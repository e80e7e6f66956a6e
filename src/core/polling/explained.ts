import { CAUSE_PRECONDITIONS } from '../cause.ts';
import type { EpochMs, Millis } from '../clock.ts';
import { PATH } from '../diagnosis/explanations.ts';
import type { Finding } from '../finding.ts';
import type { PreconditionId } from '../precondition.ts';
import type { AppliancePolling, PollingError, PollingReport } from './report.ts';

/** FortiAuthenticator gives up on a connection that it began before the repair as late as this. */
const AFTERMATH: Millis = 60_000;

/** Something that is or was broken and makes FortiAuthenticator complain. */
export interface FaultSeen {
  readonly precondition: PreconditionId;
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

const CONNECTION: readonly PreconditionId[] = [...PATH, 'firewall-policy'];
/** The text says that the connection failed: no licence does that. */
const OF_CONNECTION = /\bSSL\b|\bconnection\b|\btimeout\b/iu;

/** The preconditions whose fault can cause an error: mail is not lost because of a licence, nor TLS. */
export function explainedBy({ cause, sample }: Pick<PollingError, 'cause' | 'sample'>): readonly PreconditionId[] {
  if (cause === null || cause === 'polling-failing')
    return OF_CONNECTION.test(messageOf(sample)) ? CONNECTION : [...CONNECTION, 'license-assignment'];
  const precondition = CAUSE_PRECONDITIONS[cause];
  if (precondition === 'mail') return ['mail', 'internet', 'name-resolution'];
  return CONNECTION.includes(precondition) ? CONNECTION : [precondition];
}

/** What can be the matter, for what FortiAuthenticator complains of. */
export function complainedOf({ appliances }: PollingReport): readonly PreconditionId[] {
  const errors = appliances.flatMap((appliance) => appliance.errors).filter(({ severity }) => severity !== 'info');
  return [...new Set(errors.flatMap(explainedBy))];
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
export function withoutExplained(report: PollingReport, faults: readonly FaultSeen[]): UnexplainedPolling {
  const appliances = report.appliances.map((appliance) => ({
    appliance,
    concerning: faults.filter((fault) => fault.appliance === null || fault.appliance === appliance.name),
  }));
  return {
    report: {
      ...report,
      appliances: appliances.map(({ appliance, concerning }) => withoutErrors(appliance, concerning)),
    },
    notes: appliances.flatMap(({ appliance: { name, errors }, concerning }) => {
      const explained = errors.filter((error) => isExplained(error, concerning));
      return explained.length === 0 ? [] : [note(name, Math.max(...explained.map(({ lastAt }) => lastAt)))];
    }),
  };
}

/** Whether one of these faults can cause an error, and was there when the error came, or just before. */
function isExplained(error: PollingError, faults: readonly FaultSeen[]): boolean {
  const by = explainedBy(error);
  return faults.some(({ precondition, at }) => by.includes(precondition) && error.lastAt <= at + AFTERMATH);
}

function withoutErrors(appliance: AppliancePolling, faults: readonly FaultSeen[]): AppliancePolling {
  return {
    ...appliance,
    errors: appliance.errors
      .filter((error) => !isExplained(error, faults))
      .map((error) => withoutExplainedMoments(error, faults)),
  };
}

/** What came while the fault lasted says nothing about what came after it, over whichever way it came. */
function withoutExplainedMoments(error: PollingError, faults: readonly FaultSeen[]): PollingError {
  const isUnexplained = (lastAt: EpochMs): boolean => !isExplained({ ...error, lastAt }, faults);
  const { moments, reliableAt } = error;
  return {
    ...error,
    moments: moments.filter(isUnexplained),
    reliableAt: reliableAt !== null && isUnexplained(reliableAt) ? reliableAt : null,
  };
}

function note(appliance: string, lastAt: EpochMs): Finding {
  return {
    rule: 'no-ftm-errors',
    subject: appliance,
    expected: 'No FTM errors that no fault explains',
    actual: `None; the last one that a fault explains came at ${new Date(lastAt).toISOString().slice(0, 19)}Z`,
    level: 'note',
    suggests: null,
  };
}
