import { CAUSE_PRECONDITIONS } from '../cause.ts';
import type { EpochMs, Millis } from '../clock.ts';
import { PATH } from '../diagnosis/explanations.ts';
import type { Finding } from '../finding.ts';
import type { PreconditionId } from '../precondition.ts';
import type { AppliancePolling, PollingError, PollingReport } from './report.ts';

/** FortiAuthenticator gives up on a connection that it began before the repair as late as this. */
const AFTERMATH: Millis = 60_000;

/** When something was last broken that makes FortiAuthenticator complain, by what it was. */
export type FaultsSeen = ReadonlyMap<PreconditionId, EpochMs>;

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

/** Behind the fields, in which anything may stand. */
function messageOf(sample: string): string {
  return sample.slice(sample.lastIndexOf('="') + 1);
}

/** Whether one of these faults can cause an error, and was there when the error came, or just before. */
function isExplained(error: PollingError, faults: FaultsSeen): boolean {
  return explainedBy(error).some((id) => {
    const seenAt = faults.get(id);
    return seenAt !== undefined && error.lastAt <= seenAt + AFTERMATH;
  });
}

/**
 * Errors stay in the window for a while after the path is repaired. What FortiAuthenticator complained of until then is explained, and
 * must not raise an alarm of its own when the explanation is gone.
 */
export function withoutExplained(report: PollingReport, faults: FaultsSeen): UnexplainedPolling {
  return {
    report: { ...report, appliances: report.appliances.map((appliance) => withoutErrors(appliance, faults)) },
    notes: report.appliances.flatMap(({ name, errors }) => {
      const explained = errors.filter((error) => isExplained(error, faults));
      return explained.length === 0 ? [] : [note(name, Math.max(...explained.map(({ lastAt }) => lastAt)))];
    }),
  };
}

function withoutErrors(appliance: AppliancePolling, faults: FaultsSeen): AppliancePolling {
  return {
    ...appliance,
    errors: appliance.errors.filter((error) => !isExplained(error, faults)).map((error) => withoutExplainedMoments(error, faults)),
  };
}

/** What came while the fault lasted says nothing about what came after it. */
function withoutExplainedMoments(error: PollingError, faults: FaultsSeen): PollingError {
  return { ...error, moments: error.moments.filter((lastAt) => !isExplained({ ...error, lastAt }, faults)) };
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
