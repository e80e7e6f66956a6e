import type { CauseId } from '../core/cause.ts';
import type { Finding } from '../core/finding.ts';
import { FLAW_RULE, OLDER_TLS_RULE } from '../core/interception/expectations.ts';
import type { PollingReport } from '../core/polling/report.ts';

/** Whether FortiAuthenticator suffers from it cannot be seen from here. */
const WEIGHED: readonly string[] = [FLAW_RULE, OLDER_TLS_RULE];

/** Causes that the log signatures name for a TLS connection that did not come about. */
const COMPLAINTS: readonly (CauseId | null)[] = ['tls-intercepted', 'tls-interception-suspected', 'certificate-broken', 'polling-failing'];

export function complainsOfConnections({ appliances }: PollingReport): boolean {
  return appliances.some(({ errors }) => errors.some(({ cause }) => COMPLAINTS.includes(cause)));
}

/** FortiAuthenticator's own log decides how grave these findings are: it complains, or it writes and does not. */
export function weighByLog(findings: readonly Finding[], report: PollingReport, isUnaffected: boolean): readonly Finding[] {
  const isComplained = complainsOfConnections(report);
  return findings.map((finding): Finding => {
    if (!WEIGHED.includes(finding.rule)) return finding;
    if (isComplained && finding.level === 'warning') return { ...finding, level: 'broken' };
    return isUnaffected && finding.level === 'broken' ? { ...finding, level: 'warning' } : finding;
  });
}
