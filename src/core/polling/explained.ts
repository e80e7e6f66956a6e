import type { EpochMs, Millis } from '../clock.ts';
import type { Finding } from '../finding.ts';
import type { AppliancePolling, PollingReport } from './report.ts';

/** FortiAuthenticator gives up on a connection that it began before the repair as late as this. */
const AFTERMATH: Millis = 60_000;

export interface UnexplainedPolling {
  /** Without the errors that an earlier fault explains. */
  readonly report: PollingReport;
  /** What was left out, as notes. */
  readonly notes: readonly Finding[];
}

/**
 * Errors stay in the window for a while after the path is mended. What FortiAuthenticator complained of until then is explained, and
 * must not raise an alarm of its own when the explanation is gone.
 *
 * @param faultSeenAt when the fault that explains them was seen last
 */
export function withoutExplained(report: PollingReport, faultSeenAt: EpochMs): UnexplainedPolling {
  const isExplained = ({ lastAt }: AppliancePolling['errors'][number]): boolean => lastAt <= faultSeenAt + AFTERMATH;
  return {
    report: {
      ...report,
      appliances: report.appliances.map((appliance) => ({ ...appliance, errors: appliance.errors.filter((error) => !isExplained(error)) })),
    },
    notes: report.appliances.flatMap(({ name, errors }) => {
      const explained = errors.filter(isExplained);
      return explained.length === 0 ? [] : [note(name, Math.max(...explained.map(({ lastAt }) => lastAt)))];
    }),
  };
}

function note(appliance: string, lastAt: EpochMs): Finding {
  return {
    rule: 'no-ftm-errors',
    subject: appliance,
    expected: 'No FTM errors since the path was mended',
    actual: `None since; the last one, at ${new Date(lastAt).toISOString().slice(0, 19)}Z, belongs to the fault before`,
    level: 'note',
    suggests: null,
  };
}
