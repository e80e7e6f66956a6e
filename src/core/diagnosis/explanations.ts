import type { Finding } from '../finding.ts';
import type { PreconditionId } from '../precondition.ts';

/**
 * A fault that a deeper one explains, beyond the fixed dependencies of the path: it is `blocked` and no cause of its own.
 * `evidence`: what it shows belongs to the deeper cause (a log line of FortiAuthenticator, the policy that inspects).
 */
export interface Explanation {
  readonly id: PreconditionId;
  readonly by: PreconditionId;
  readonly when: (findings: readonly Finding[]) => boolean;
  readonly evidence: boolean;
}

/** No answer at all, as a dead uplink or a dead resolver makes of it; an answer that refuses is a fault of its own. */
const UNANSWERED_MAIL_RULES: readonly string[] = ['mail-server-answers'];

/** From this machine to the licence server. */
export const PATH: readonly PreconditionId[] = ['internet', 'name-resolution', 'reachability', 'tls-genuine', 'license-server'];

export const EXPLANATIONS: readonly Explanation[] = [
  {
    id: 'name-resolution',
    by: 'internet',
    when: (findings) => broken(findings).every((finding) => finding.suggests === 'resolver-unreachable'),
    evidence: false,
  },
  ...(['internet', 'name-resolution'] as const).map((by) => ({
    id: 'mail' as const,
    by,
    when: (findings: readonly Finding[]) => broken(findings).every((finding) => UNANSWERED_MAIL_RULES.includes(finding.rule)),
    evidence: false,
  })),
  { id: 'firewall-policy', by: 'tls-genuine', when: suggests('policy-inspects-traffic'), evidence: true },
  { id: 'firewall-policy', by: 'reachability', when: suggests('policy-missing'), evidence: true },
  ...([...PATH, 'license-assignment', 'firewall-policy'] as const).map((by) => ({
    id: 'polling' as const,
    by,
    when: () => true,
    evidence: true,
  })),
];

function broken(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter((finding) => finding.level === 'broken');
}

function suggests(cause: Finding['suggests']): Explanation['when'] {
  return (findings) => broken(findings).every((finding) => finding.suggests === cause);
}
