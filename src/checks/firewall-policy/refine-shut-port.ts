import { FORTIGATE } from '../../engine/words/culprit.ts';
import type { Assessment } from '../../engine/assessment.ts';
import type { Confidence } from '../../engine/cause.ts';
import type { LicenseServerCause } from '../license-server/causes.ts';
import type { ReachabilityCause } from '../reachability/causes.ts';
import type { ShutPortKind, SILENT_PAST_POLICY } from '../reachability/shut-port.ts';
import type { Finding } from '../../engine/finding.ts';

/** Rules of `firewall-policy` that say no policy was looked at, or that none lets the connection pass. */
const NOT_ACCEPTED: readonly string[] = ['policy-allows', 'firewall-answers', 'firewall-accepts-token'];

/**
 * A port of the licence server that stays shut leaves two explanations, a firewall or the server. Where the firewall
 * was asked which policy matches, its answer decides: a policy that denies proves the one, a policy that accepts leaves
 * the other. It speaks for that one firewall only, so that the server is suspected, not proven; and what denies one
 * appliance alone says nothing of the port that is shut for this machine.
 */
export function refineShutPort(own: readonly Finding[]): (finding: Finding) => Finding {
  const refinement = refinementOf(own);
  return (finding) => (isOpen(finding) && mayBe(finding, refinement) ? { ...finding, ...refinement } : finding);
}

/** Whether a fault on the path to the licence server may be the work of a policy, which only the firewall knows. */
export function asksForPolicy(assessments: readonly Assessment[]): boolean {
  return assessments.some(({ findings }) => findings.some((finding) => isOpen(finding) || mayBeInspected(finding)));
}

/** Faults that a policy which inspects explains, unless the certificate is another product's. */
const INSPECTED: readonly (string | null)[] = ['tls-intercepted', 'tls-interception-suspected', 'tls-blocked'];

function mayBeInspected({ suggests, level, facts }: Finding): boolean {
  const isOfFortiGate = facts?.product === undefined || facts.product === FORTIGATE;
  return level === 'broken' && INSPECTED.includes(suggests) && facts?.host === undefined && isOfFortiGate;
}

interface Refinement {
  readonly suggests: ReachabilityCause | LicenseServerCause;
  readonly kind: ShutPortKind | keyof typeof SILENT_PAST_POLICY;
  readonly confidence: Confidence;
}

function refinementOf(findings: readonly Finding[]): Refinement | null {
  const denied = findings.filter(({ suggests, level }) => suggests === 'policy-missing' && level === 'broken');
  if (denied.some(({ concerns }) => concerns === undefined))
    return { suggests: 'egress-blocked', kind: 'denied-by-policy', confidence: 'confirmed' };
  if (findings.some(({ rule }) => NOT_ACCEPTED.includes(rule))) return null;
  return { suggests: 'license-server-down', kind: 'silent-past-policy', confidence: 'suspected' };
}

/** Unrelated hosts refuse as well, or are silent: then not the server alone is down. */
const NOT_ALONE: readonly (string | undefined)[] = ['all-refused', 'no-answer-from-any'] satisfies ShutPortKind[];

function mayBe({ kind }: Finding, refinement: Refinement | null): boolean {
  return refinement?.suggests !== 'license-server-down' || !NOT_ALONE.includes(kind);
}

/** Of the licence server, which is what the look-up was about, and not known to be refused near by. */
function isOpen({ suggests, level, kind, facts }: Finding): boolean {
  return (
    suggests === 'egress-blocked' &&
    level === 'broken' &&
    facts?.host === undefined &&
    (kind === 'no-answer' || kind === 'refused' || NOT_ALONE.includes(kind))
  );
}
