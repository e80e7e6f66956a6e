import type { PreconditionId } from './precondition.ts';

export type Severity = 'critical' | 'warning' | 'info';

export const SEVERITIES: readonly Severity[] = ['critical', 'warning', 'info'];

export type Confidence = 'confirmed' | 'suspected';

/** Every cause a person can act on: a closed set, used as a metric label. */
export type CauseId = FaultId | 'precondition-unknown';

/**
 * What a finding may suggest: a fault of one precondition. That one stays unknown may be so of any, and only time shows
 * it.
 */
export type FaultId =
  | 'internet-unreachable'
  | 'resolver-unreachable'
  | 'name-not-found'
  | 'answer-hijacked'
  | 'answer-unexpected'
  | 'resolvers-disagree'
  | 'egress-blocked'
  | 'egress-partly-blocked'
  | 'tls-intercepted'
  | 'tls-interception-suspected'
  | 'tls-blocked'
  | 'certificate-broken'
  | 'vendor-ca-changed'
  | 'certificate-rotated'
  | 'license-server-down'
  | 'mail-unreachable'
  | 'mail-tls-broken'
  | 'mail-login-rejected'
  | 'mail-recipient-rejected'
  | 'appliance-unreachable'
  | 'appliance-unreadable'
  | 'appliance-access-denied'
  | 'license-on-peer'
  | 'license-on-other-unit'
  | 'license-not-registered'
  | 'token-count-mismatch'
  | 'tokens-running-out'
  | 'tokens-exhausted'
  | 'polling-failing'
  | 'appliance-silent'
  | 'policy-inspects-traffic'
  | 'policy-missing'
  | 'clock-skewed';

/** The precondition that each fault breaks. */
export const CAUSE_PRECONDITIONS: Readonly<Record<FaultId, PreconditionId>> = {
  'internet-unreachable': 'internet',
  'resolver-unreachable': 'name-resolution',
  'name-not-found': 'name-resolution',
  'answer-hijacked': 'name-resolution',
  'answer-unexpected': 'name-resolution',
  'resolvers-disagree': 'name-resolution',
  'egress-blocked': 'reachability',
  'egress-partly-blocked': 'reachability',
  'tls-intercepted': 'tls-genuine',
  'tls-interception-suspected': 'tls-genuine',
  'tls-blocked': 'tls-genuine',
  'certificate-broken': 'tls-genuine',
  'vendor-ca-changed': 'tls-genuine',
  'certificate-rotated': 'tls-genuine',
  'license-server-down': 'license-server',
  'mail-unreachable': 'mail',
  'mail-tls-broken': 'mail',
  'mail-login-rejected': 'mail',
  'mail-recipient-rejected': 'mail',
  'appliance-unreachable': 'appliance',
  'appliance-unreadable': 'appliance',
  'appliance-access-denied': 'appliance',
  'license-on-peer': 'license-assignment',
  'license-on-other-unit': 'license-assignment',
  'license-not-registered': 'license-assignment',
  'token-count-mismatch': 'token-pool',
  'tokens-running-out': 'token-pool',
  'tokens-exhausted': 'token-pool',
  'polling-failing': 'polling',
  'appliance-silent': 'polling',
  'policy-inspects-traffic': 'firewall-policy',
  'policy-missing': 'firewall-policy',
  'clock-skewed': 'clock',
};

export function isCauseId(text: string): text is CauseId {
  return text === 'precondition-unknown' || isFaultId(text);
}

export function isFaultId(text: string): text is FaultId {
  return Object.hasOwn(CAUSE_PRECONDITIONS, text);
}

/** A root cause, told so that a person can act on it. Its JSON form is part of the contract (`check --json`). */
export interface Cause {
  readonly id: CauseId;
  readonly precondition: PreconditionId;
  readonly severity: Severity;
  readonly confidence: Confidence;
  /** What is broken: a host and port, a resolver, a mail server, a licence. With `id` it identifies the cause. */
  readonly subject: string;
  /** The inspecting product, where the catalogue knows it. */
  readonly product: string | null;
  /** One sentence. */
  readonly summary: string;
  /** What users feel now. */
  readonly impact: string;
  readonly evidence: readonly string[];
  /** Preconditions that are blocked because of it. */
  readonly consequences: readonly PreconditionId[];
  /** Steps, in order. */
  readonly remedy: readonly string[];
}
