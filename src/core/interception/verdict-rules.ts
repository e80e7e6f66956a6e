import type { Confidence } from '../cause.ts';
import type { Verdict } from './tls-evidence.ts';
import type { VerdictFacts } from './verdict-facts.ts';

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
  | 'two-signals'
  | 'one-signal'
  | 'hint'
  | 'open';

const isDateWrong = (facts: VerdictFacts): boolean => facts.dates === 'expired' || facts.dates === 'not-yet-valid';
const isNamed = (facts: VerdictFacts): boolean => facts.identity !== 'other' && facts.identity !== 'device';
/** For the right name, under an authority that no inspection product has: a public one, or the vendor's own. */
const isElsewhere = (facts: VerdictFacts): boolean =>
  (facts.standing === 'public' || facts.standing === 'vendor') && !facts.accepted && isNamed(facts);

/**
 * How a chain becomes a verdict. Above `weak` stand the chains that the profile accepts: nothing but a device certificate can make
 * them an interception, since whoever intercepts has no trusted key. Below stand the others, where independent signals are counted.
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
    when: "accepted, but a device's factory certificate, and another independent signal",
    holds: (facts) => facts.accepted && facts.identity === 'device' && facts.signals >= 2,
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
    when: 'accepted, but for another name, and a signal of interception',
    holds: (facts) => facts.accepted && !isNamed(facts) && facts.signals >= 1,
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
    holds: (facts) => facts.accepted && facts.history === 'other-authority' && facts.identity !== 'known-key',
    verdict: 'vendor-ca-changed',
    confidence: 'confirmed',
  },
  {
    id: 'renewed',
    when: 'accepted, with another key under the learned authority',
    holds: (facts) => facts.accepted && facts.history === 'same-authority' && facts.identity !== 'known-key',
    verdict: 'rotated',
    confidence: 'confirmed',
  },
  { id: 'genuine', when: 'accepted', holds: (facts) => facts.accepted, verdict: 'genuine', confidence: 'confirmed' },
  {
    id: 'weak',
    when: 'leads to a trusted key, but over a key or signature that can be forged or a certificate not for servers, and no signal of interception',
    holds: (facts) => facts.standing === 'weak' && facts.signals === 0,
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
    id: 'two-signals',
    when: 'two or more independent signals of interception',
    holds: (facts) => facts.signals >= 2,
    verdict: 'intercepted',
    confidence: 'confirmed',
  },
  {
    id: 'one-signal',
    when: 'one signal of interception',
    holds: (facts) => facts.signals === 1,
    verdict: 'interception-suspected',
    confidence: 'suspected',
  },
  {
    id: 'hint',
    when: 'no signal, but a hint that a renewal does not explain',
    holds: (facts) => facts.hints > 0,
    verdict: 'interception-suspected',
    confidence: 'suspected',
  },
];

/** What remains: a chain that ends early, with nothing against it and nothing for it. */
export const OPEN: Omit<VerdictRule, 'holds'> = {
  id: 'open',
  when: 'anything else: an authority that was not sent and is not known',
  verdict: 'unknown',
  confidence: 'suspected',
};

export function decide(facts: VerdictFacts): Omit<VerdictRule, 'holds'> {
  return VERDICT_RULES.find((rule) => rule.holds(facts)) ?? OPEN;
}
