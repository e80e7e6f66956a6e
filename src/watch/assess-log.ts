import type { Config } from '../config/config.ts';
import type { Assessment } from '../core/assessment.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import type { Finding } from '../core/finding.ts';
import { judgeComplaint } from '../core/polling/complaint.ts';
import { judgePolling } from '../core/polling/judge.ts';
import type { PollingReport } from '../core/polling/report.ts';
import { authority } from '../probes/endpoint/dial.ts';
import { judgeLogEvidence } from '../round/judge-log-evidence.ts';
import { listens } from './polling-log.ts';

/**
 * Where nobody has listened. It is no trouble, so it is not `unknown`: who looks once is told what can be looked at once, and that
 * this is not among it.
 */
export function unheardPolling(config: Config, reason = 'Not looked at: only the daemon listens to the log'): Assessment {
  return { id: 'polling', kind: 'not-configured', findings: [], summary: listens(config) ? reason : 'No log is listened to' };
}

/** What the log says about polling. */
export function assessPolling(config: Config, report: PollingReport, notes: readonly Finding[] = []): Assessment {
  if (!listens(config)) return unheardPolling(config);
  const heard = report.appliances.some(({ lastLineAt }) => lastLineAt !== null);
  return {
    id: 'polling',
    kind: 'judged',
    findings: [...judgePolling(report), ...notes],
    summary: heard
      ? 'The log of FortiAuthenticator shows no FortiToken Mobile errors'
      : 'No log line of FortiAuthenticator has arrived yet',
  };
}

/**
 * Adds what the logs say to what the probes found out about TLS: a firewall's own, and FortiAuthenticator's, which see the path of
 * FortiAuthenticator.
 */
export function withLogEvidence(assessments: readonly Assessment[], report: PollingReport, config: Config): readonly Assessment[] {
  const subject = authority(config.licenseServer);
  return assessments.map((assessment) => {
    if (assessment.id !== 'tls-genuine') return assessment;
    const evidence = [...judgeLogEvidence(report, subject), ...judgeComplaint(report, assessment.findings, subject)];
    return evidence.length === 0 ? assessment : { ...assessment, kind: 'judged', findings: [...assessment.findings, ...evidence] };
  });
}

/** FortiAuthenticator writes to its log, and nothing in it is about FortiToken Mobile trouble. */
export function seemsUnaffected({ appliances }: PollingReport): boolean {
  const speaking = appliances.filter(({ lastLineAt, silent }) => lastLineAt !== null && !silent);
  return speaking.length > 0 && speaking.every(({ errors }) => errors.length === 0);
}

/**
 * One that was heard within so long has not gone silent. FortiAuthenticator logs every login and every change, so that minutes are long for one
 * in use, and two of the rounds in which its API is asked (every 5 minutes by default) fit in.
 */
const SPEAKS_WITHIN: Millis = 10 * 60_000;

/** Names of the appliances whose log has arrived until now. */
export function speakingAppliances({ appliances }: PollingReport, now: EpochMs): readonly string[] {
  return appliances.filter(({ lastLineAt }) => lastLineAt !== null && now - lastLineAt <= SPEAKS_WITHIN).map(({ name }) => name);
}
