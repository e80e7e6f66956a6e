import type { Confidence } from '../../engine/cause.ts';
import type { Verdict } from './tls-evidence.ts';
import { isClaimed, isDateWrong, isElsewhere, isNamed, type VerdictFacts } from './verdict-facts.ts';

/** One row of the table: the first row whose condition holds decides. */
export interface VerdictRule {
  readonly id: VerdictRuleId;
  /** The condition in words, as in docs/interception.md. */
  readonly when: string;
  readonly holds: (facts: VerdictFacts) => boolean;
  readonly verdict: Verdict;
  readonly confidence: Confidence;
}

export type VerdictRuleId =
  | 'own-clock'
  | 'device-and-more'
  | 'device'
  | 'dates'
  | 'misnamed-and-more'
  | 'misnamed'
  | 'gap'
  | 'cut'
  | 'new-flaw'
  | 'flaw'
  | 'other-authority'
  | 'renewed'
  | 'genuine'
  | 'weak'
  | 'elsewhere-contradicted'
  | 'elsewhere-own-clock'
  | 'elsewhere-dates'
  | 'elsewhere-cut'
  | 'elsewhere'
  | 'witnessed'
  | 'untrusting'
  | 'claimed-own-clock'
  | 'claimed-dates'
  | 'claimed-cut'
  | 'claimed-hint'
  | 'new-vendor-authority'
  | 'public-incomplete'
  | 'stranger'
  | 'unverified';

/**
 * How a chain becomes a verdict. Above `weak` stand the chains that the profile accepts: nothing but a device
 * certificate can make them an interception, since an interceptor has no trusted key. Below stand the others: a
 * witness of this round makes them an interception; without one, what decides is whether the vendor may have changed
 * its authority, or forgotten to send one.
 * @internal
 */
export const VERDICT_RULES: readonly VerdictRule[] = [
  {
    id: 'own-clock',
    when: "accepted, but out of date, and so is a control host's: this machine's clock is wrong",
    holds: (facts) => facts.accepted && facts.dates === 'clock',
    verdict: 'unknown',
    confidence: 'suspected',
  },
  {
    id: 'device-and-more',
    when: "accepted, but a device's factory certificate, and a witness of interception",
    holds: (facts) => facts.accepted && facts.identity === 'device' && facts.witnessed,
    verdict: 'intercepted',
    confidence: 'confirmed',
  },
  {
    id: 'device',
    when: "accepted, but a device's factory certificate",
    holds: (facts) => facts.accepted && facts.identity === 'device',
    verdict: 'interception-suspected',
    confidence: 'suspected',
  },
  {
    id: 'dates',
    when: 'accepted, but expired or not yet valid',
    holds: (facts) => facts.accepted && isDateWrong(facts),
    verdict: 'certificate-broken',
    confidence: 'confirmed',
  },
  {
    id: 'misnamed-and-more',
    when: 'accepted, but for another name, and a witness of interception',
    holds: (facts) => facts.accepted && !isNamed(facts) && facts.witnessed,
    verdict: 'interception-suspected',
    confidence: 'suspected',
  },
  {
    id: 'misnamed',
    when: 'accepted, but for another name',
    holds: (facts) => facts.accepted && !isNamed(facts),
    verdict: 'certificate-broken',
    confidence: 'suspected',
  },
  {
    id: 'gap',
    when: 'accepted with an intermediate that was not sent, under the profile public',
    holds: (facts) => facts.accepted && facts.gap && facts.profile === 'public',
    verdict: 'certificate-broken',
    confidence: 'confirmed',
  },
  {
    id: 'cut',
    when: 'accepted, but the connection was cut before the handshake ended',
    holds: (facts) => facts.accepted && facts.ended === 'cut',
    verdict: 'blocked',
    confidence: 'suspected',
  },
  {
    id: 'new-flaw',
    when: 'accepted, but with a flaw for which TLS clients refuse it, and which it did not have before',
    holds: (facts) => facts.accepted && facts.flaw === 'new',
    verdict: 'certificate-broken',
    confidence: 'confirmed',
  },
  {
    id: 'flaw',
    when: 'accepted, but with such a flaw, and no chain without it was seen before: a warning',
    holds: (facts) => facts.accepted && facts.flaw === 'old',
    verdict: 'certificate-broken',
    confidence: 'suspected',
  },
  {
    id: 'other-authority',
    when: 'accepted, but under another authority than learned',
    holds: (facts) => facts.accepted && facts.baselineMatch === 'other-authority' && facts.identity !== 'known-key',
    verdict: 'vendor-ca-changed',
    confidence: 'confirmed',
  },
  {
    id: 'renewed',
    when: 'accepted, with another key under the learned authority',
    holds: (facts) => facts.accepted && facts.baselineMatch === 'same-authority' && facts.identity !== 'known-key',
    verdict: 'rotated',
    confidence: 'confirmed',
  },
  { id: 'genuine', when: 'accepted', holds: (facts) => facts.accepted, verdict: 'genuine', confidence: 'confirmed' },
  {
    id: 'weak',
    when:
      'leads to a trusted key, but over a key or signature that can be forged or a certificate not for servers, ' +
      'and no witness of interception',
    holds: (facts) => facts.chainTrust === 'weak' && !facts.witnessed,
    verdict: 'certificate-broken',
    confidence: 'suspected',
  },
  {
    id: 'elsewhere-contradicted',
    when: 'elsewhere, but another path shows the genuine key',
    holds: (facts) => isElsewhere(facts) && facts.contradicted,
    verdict: 'interception-suspected',
    confidence: 'suspected',
  },
  {
    id: 'elsewhere-own-clock',
    when: "elsewhere, out of date as a control host's is",
    holds: (facts) => isElsewhere(facts) && facts.dates === 'clock',
    verdict: 'unknown',
    confidence: 'suspected',
  },
  {
    id: 'elsewhere-dates',
    when: 'elsewhere, but expired or not yet valid',
    holds: (facts) => isElsewhere(facts) && isDateWrong(facts),
    verdict: 'certificate-broken',
    confidence: 'confirmed',
  },
  {
    id: 'elsewhere-cut',
    when: 'elsewhere, but the connection was cut',
    holds: (facts) => isElsewhere(facts) && facts.ended === 'cut',
    verdict: 'blocked',
    confidence: 'suspected',
  },
  {
    id: 'elsewhere',
    when: "elsewhere: for the right name, under a public authority (or Fortinet's own) that the profile does not take",
    holds: isElsewhere,
    verdict: 'vendor-ca-changed',
    confidence: 'confirmed',
  },
  {
    id: 'witnessed',
    when: 'not accepted, and a witness of interception',
    holds: (facts) => facts.witnessed,
    verdict: 'intercepted',
    confidence: 'confirmed',
  },
  {
    id: 'untrusting',
    when: 'nothing at all is trusted: the profile pinned without a key',
    holds: (facts) => !facts.trusting,
    verdict: 'unknown',
    confidence: 'suspected',
  },
  {
    id: 'claimed-own-clock',
    when: "claimed, out of date as a control host's is",
    holds: (facts) => isClaimed(facts) && facts.dates === 'clock',
    verdict: 'unknown',
    confidence: 'suspected',
  },
  {
    id: 'claimed-dates',
    when: 'claimed, but expired or not yet valid',
    holds: (facts) => isClaimed(facts) && isDateWrong(facts),
    verdict: 'certificate-broken',
    confidence: 'suspected',
  },
  {
    id: 'claimed-cut',
    when: 'claimed, but the connection was cut',
    holds: (facts) => isClaimed(facts) && facts.ended === 'cut',
    verdict: 'blocked',
    confidence: 'suspected',
  },
  {
    id: 'claimed-hint',
    when: 'claimed, with a hint that a change at the vendor does not explain',
    holds: (facts) => isClaimed(facts) && facts.hinted,
    verdict: 'interception-suspected',
    confidence: 'suspected',
  },
  {
    id: 'new-vendor-authority',
    when: 'claimed to be the vendor: an authority of its name under a key that is not known',
    holds: (facts) => isClaimed(facts) && facts.claim === 'vendor',
    verdict: 'vendor-ca-changed',
    confidence: 'suspected',
  },
  {
    id: 'public-incomplete',
    when: 'claimed to be public: an authority that was not sent, of the name of a public one',
    holds: isClaimed,
    verdict: 'certificate-broken',
    confidence: 'suspected',
  },
  {
    id: 'stranger',
    when: 'not accepted, and for another name',
    holds: (facts) => !isNamed(facts),
    verdict: 'interception-suspected',
    confidence: 'suspected',
  },
];

/**
 * What remains: somebody who is not even by name the vendor or a public authority, or who claims a name that its key
 * does not bear out.
 * @internal
 */
export const UNVERIFIED: Omit<VerdictRule, 'holds'> = {
  id: 'unverified',
  when:
    'anything else: an authority that claims to be neither the vendor nor a public one, or a root that nobody ' +
    'knows',
  verdict: 'interception-suspected',
  confidence: 'suspected',
};

export function decide(facts: VerdictFacts): Omit<VerdictRule, 'holds'> {
  return VERDICT_RULES.find((rule) => rule.holds(facts)) ?? UNVERIFIED;
}
