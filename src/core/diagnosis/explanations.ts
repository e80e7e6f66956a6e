import type { Finding } from '../finding.ts';
import type { PreconditionId } from '../precondition.ts';

/**
 * A fault that a deeper one explains, beyond the fixed dependencies of the path: it is `blocked` and no cause of its
 * own. `evidence`: what it shows belongs to the deeper cause (a log line of FortiAuthenticator, the policy that
 * inspects).
 */
export interface Explanation {
  readonly id: PreconditionId;
  readonly by: PreconditionId;
  readonly when: (findings: readonly Finding[]) => boolean;
  readonly evidence: boolean;
  /** It explains a warning as well: any, or what is only suspected. */
  readonly warnings?: 'all' | 'suspected';
}

/** No answer at all, as a dead uplink makes of it; an answer that refuses is a fault of its own. */
const SILENT_MAIL: readonly string[] = ['mail-server-resolves', 'mail-server-answers'];
/** At an address that was found, silence is no fault of the resolvers, whatever they say of other names. */
const NAMELESS_MAIL: readonly string[] = ['mail-server-resolves'];
const NAMELESS_APPLIANCE: readonly string[] = ['api-name-resolves'];

/** From this machine to the licence server. */
export const PATH: readonly PreconditionId[] = [
  'internet',
  'name-resolution',
  'reachability',
  'tls-genuine',
  'license-server',
];

export const EXPLANATIONS: readonly Explanation[] = [
  {
    id: 'name-resolution',
    by: 'internet',
    when: (findings) => broken(findings).every((finding) => finding.suggests === 'resolver-unreachable'),
    evidence: false,
  },
  { id: 'mail', by: 'internet', when: breaks(SILENT_MAIL), evidence: false },
  { id: 'mail', by: 'name-resolution', when: breaks(NAMELESS_MAIL), evidence: false },
  { id: 'appliance', by: 'name-resolution', when: concerns(NAMELESS_APPLIANCE), evidence: false, warnings: 'all' },
  { id: 'firewall-policy', by: 'tls-genuine', when: suggests('policy-inspects-traffic'), evidence: true },
  { id: 'firewall-policy', by: 'reachability', when: suggests('policy-missing'), evidence: true },
  ...([...PATH, 'license-assignment', 'firewall-policy', 'mail'] as const).map((by) => ({
    id: 'polling' as const,
    by,
    when: canCome(by),
    evidence: true,
    warnings: 'suspected' as const,
  })),
];

function broken(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter((finding) => finding.level === 'broken');
}

function suggests(cause: Finding['suggests']): Explanation['when'] {
  return (findings) => broken(findings).every((finding) => finding.suggests === cause);
}

/**
 * Some of what FortiAuthenticator complains of can come from there. What cannot is not handed in together with what
 * can.
 */
function canCome(by: PreconditionId): Explanation['when'] {
  return (findings) =>
    findings.some(({ level, explainedBy }) => level !== 'note' && (explainedBy?.includes(by) ?? by !== 'mail'));
}

/** Nothing but these is broken. */
function breaks(rules: readonly string[]): Explanation['when'] {
  return (findings) => broken(findings).every(({ rule }) => rules.includes(rule));
}

/** Nothing but these is broken or makes a warning. */
function concerns(rules: readonly string[]): Explanation['when'] {
  return (findings) =>
    findings.filter(({ level }) => level === 'broken' || level === 'warning').every(({ rule }) => rules.includes(rule));
}
