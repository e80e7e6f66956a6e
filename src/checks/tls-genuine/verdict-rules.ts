import { nameFinding, strengthFinding, verificationFinding } from './expectations.ts';
import { HYPOTHESES_ACCEPTED } from './hypotheses-accepted.ts';
import { HYPOTHESES_CLAIMED } from './hypotheses-claimed.ts';
import { HYPOTHESES_ELSEWHERE } from './hypotheses-elsewhere.ts';
import { always, confirmed, type Hypothesis, LEARN, signs, suspected } from './hypothesis.ts';
import { isClaimed, isElsewhere, isNamed, type VerdictFacts } from './verdict-facts.ts';

/**
 * What remains: somebody who is not even by name the vendor or a public authority, or who claims a name that its key
 * does not bear out.
 */
const UNVERIFIED: Hypothesis = {
  id: 'unverified',
  when:
    'anything else: an authority that claims to be neither the vendor nor a public one, or a root that nobody ' +
    'knows',
  holds: always,
  ...suspected('interception-suspected'),
  tells: [verificationFinding, signs],
  summary: 'TLS to {target} seems to be intercepted: its certificate is issued by {by}',
  wouldSettle: '{view}',
};

/**
 * How a chain becomes a verdict. Of a chain that is not accepted a witness of this round makes an interception; without
 * one, what decides is whether the vendor may have changed its authority, or forgotten to send one.
 * @internal
 */
export const HYPOTHESES: readonly Hypothesis[] = [
  ...where(({ accepted }) => accepted, HYPOTHESES_ACCEPTED),
  {
    id: 'weak',
    when:
      'leads to a trusted key, but over a key or signature that can be forged or a certificate not for servers, ' +
      'and no witness of interception',
    holds: ({ chainTrust, witnessed }) => chainTrust === 'weak' && !witnessed,
    ...suspected('certificate-broken'),
    kind: 'weak',
    tells: [strengthFinding],
    summary: 'The certificate of {target} rests on a key, signature or use that no client should accept',
  },
  ...where(isElsewhere, HYPOTHESES_ELSEWHERE),
  {
    id: 'witnessed',
    when: 'not accepted, and a witness of interception',
    holds: ({ witnessed }) => witnessed,
    ...confirmed('intercepted'),
    tells: [verificationFinding, signs],
    summary: 'TLS to {target} is intercepted: its certificate is issued by {by}',
  },
  {
    id: 'untrusting',
    when: 'nothing at all is trusted: the profile pinned without a key',
    holds: ({ trusting }) => !trusting,
    ...suspected('unknown'),
    tells: [verificationFinding],
    summary: 'Whether the certificate of {target} is genuine is not known: nothing is trusted to compare it with',
    wouldSettle: `Something to trust: trust.pins or trust.caFiles, or ${LEARN}`,
  },
  ...where(isClaimed, HYPOTHESES_CLAIMED),
  {
    id: 'strange-device',
    when: "not accepted, and a device's factory certificate",
    holds: ({ identity }) => identity === 'device',
    ...suspected('interception-suspected'),
    tells: [verificationFinding, nameFinding, signs],
    summary: "{device} seems to answer in place of {target}: the certificate is a device's, not the server's",
    wouldSettle: '{view}',
  },
  {
    id: 'stranger',
    when: 'not accepted, and for another name',
    holds: (facts) => !isNamed(facts),
    ...suspected('interception-suspected'),
    tells: [verificationFinding, nameFinding, signs],
    summary:
      'Something else seems to answer in place of {target}: the certificate is for another name, issued by {issuer}',
    wouldSettle: '{view}',
  },
  UNVERIFIED,
];

/** Rows of which each asks for this as well. */
function where(condition: Hypothesis['holds'], rows: readonly Hypothesis[]): readonly Hypothesis[] {
  return rows.map((row) => ({ ...row, holds: (facts) => condition(facts) && row.holds(facts) }));
}

export function decide(facts: VerdictFacts): Hypothesis {
  return HYPOTHESES.find(({ holds }) => holds(facts)) ?? UNVERIFIED;
}
