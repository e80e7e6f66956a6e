import type { Cause, CauseId } from '../core/cause.ts';

/** What is wrong in half a line, for subjects and lists. The sentence with all the names is `cause.summary`. */
export function headline(cause: Pick<Cause, 'id' | 'subject' | 'severity' | 'product'>): string {
  if (cause.id === 'tls-intercepted' && cause.product !== null) return `TLS is intercepted by ${cause.product}`;
  if (cause.id === 'tls-interception-suspected' && cause.product !== null)
    return `TLS is probably intercepted by ${cause.product}`;
  if (isRemark(cause)) return `the log of ${cause.subject} has a warning`;
  return HEADLINES[cause.id].replace('{subject}', () => cause.subject);
}

/**
 * These break activation wherever they come from, but for a line of the log that is no outage: what it is about, the
 * summary says.
 */
function isRemark({ id, severity }: Pick<Cause, 'id' | 'severity'>): boolean {
  return severity === 'warning' && (id === 'polling-failing' || id === 'license-not-registered');
}

const HEADLINES: Readonly<Record<CauseId, string>> = {
  'internet-unreachable': 'the internet is unreachable',
  'resolver-unreachable': 'a resolver does not answer for {subject}',
  'name-not-found': 'the name {subject} is not found',
  'answer-hijacked': 'the name {subject} is hijacked',
  'answer-unexpected': '{subject} has an unexpected address',
  'resolvers-disagree': 'the resolvers disagree about {subject}',
  'egress-blocked': '{subject} accepts no connection',
  'egress-partly-blocked': 'some addresses of {subject} accept no connection',
  'tls-intercepted': 'TLS is intercepted',
  'tls-interception-suspected': 'TLS is probably intercepted',
  'tls-blocked': 'TLS to {subject} is blocked',
  'certificate-broken': 'the certificate of {subject} is broken',
  'vendor-ca-changed': 'the certificate authority of {subject} changed',
  'certificate-rotated': 'the certificate of {subject} was renewed',
  'license-server-down': '{subject} is down',
  'mail-unreachable': 'the mail server {subject} is unreachable',
  'mail-tls-broken': 'TLS of the mail server {subject} is broken',
  'mail-login-rejected': 'the mail server {subject} rejects the login',
  'mail-recipient-rejected': 'the mail server {subject} rejects the recipient',
  'appliance-unreachable': '{subject} is unreachable',
  'appliance-unreadable': 'ftm-watch cannot read {subject}',
  'appliance-access-denied': 'ftm-watch cannot read {subject}: the key is refused',
  'license-on-peer': 'the licence is on the HA peer',
  'license-on-other-unit': 'the licence is on another unit',
  'license-not-registered': 'the licence is not registered',
  'token-count-mismatch': 'tokens and licence do not match',
  'tokens-running-out': 'tokens are running out',
  'tokens-exhausted': 'no tokens are left',
  'polling-failing': 'FortiAuthenticator’s polling fails',
  'appliance-silent': 'FortiAuthenticator sends no log lines',
  'policy-inspects-traffic': 'a firewall policy inspects the traffic',
  'policy-missing': 'no firewall policy allows the traffic',
  'clock-skewed': 'the clock is wrong',
  'precondition-unknown': '{subject} cannot be judged',
};
