import type { Config } from '../config/config.ts';
import type { Assessment } from '../core/assessment.ts';
import type { Finding } from '../core/finding.ts';
import { withComplaints } from '../core/polling/complaint.ts';
import { judgePolling } from '../core/polling/judge.ts';
import type { PollingReport } from '../core/polling/report.ts';
import { authority } from '../probes/endpoint/dial.ts';
import { judgeLogEvidence } from '../round/judge-log-evidence.ts';
import { judgeFirstLines } from './first-lines.ts';
import { listens } from './polling-log.ts';

/**
 * Where nobody has listened. It is no trouble, so it is not `unknown`: who looks once is told what can be looked at
 * once, and that this is not among it.
 */
export function unheardPolling(
  config: Config,
  reason = 'Not looked at: only the daemon listens to the log',
): Assessment {
  return {
    id: 'polling',
    kind: 'not-configured',
    findings: [],
    summary: listens(config) ? reason : 'No log is listened to',
  };
}

/** What the log says about polling. */
export function assessPolling(config: Config, { report, notes, strangers }: HeardPolling): Assessment {
  if (!listens(config)) return unheardPolling(config);
  return {
    id: 'polling',
    kind: 'judged',
    findings: [...judgePolling(report), ...notes, ...judgeFirstLines(config, report, strangers)],
    summary: 'The log of FortiAuthenticator shows no FortiToken Mobile errors',
  };
}

export interface HeardPolling {
  readonly report: PollingReport;
  readonly notes: readonly Finding[];
  /** Unknown senders whose lines were refused. */
  readonly strangers: readonly string[];
}

/**
 * Adds what the logs say to what the probes found out about TLS: a firewall's own, and FortiAuthenticator's, which see
 * the path of FortiAuthenticator; and weighs what FortiAuthenticator may not suffer from.
 */
export function withLogEvidence(
  assessments: readonly Assessment[],
  report: PollingReport,
  config: Config,
): readonly Assessment[] {
  const subject = authority(config.licenseServer);
  return assessments.map((assessment) => {
    if (assessment.id !== 'tls-genuine') return assessment;
    const findings = [...withComplaints(assessment.findings, report, subject), ...judgeLogEvidence(report, subject)];
    return findings.length === assessment.findings.length
      ? { ...assessment, findings }
      : { ...assessment, kind: 'judged', findings };
  });
}
