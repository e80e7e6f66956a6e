import { cutFinding, datesFinding, verificationFinding } from './expectations.ts';
import { always, confirmed, type Hypothesis, signs, suspected, WRONG_CLOCK } from './hypothesis.ts';
import { isDateWrong } from './verdict-facts.ts';

/** Of the chains for the right name, under an authority that no inspection product has: see `isElsewhere`. */
export const HYPOTHESES_ELSEWHERE: readonly Hypothesis[] = [
  {
    id: 'elsewhere-contradicted',
    when: 'elsewhere, but another path shows the genuine key',
    holds: ({ contradicted }) => contradicted,
    ...suspected('interception-suspected'),
    tells: [verificationFinding, signs],
    summary: 'TLS to {target} seems to be intercepted: another path shows the genuine key, this one {issuer}',
    wouldSettle: '{view}',
  },
  {
    ...WRONG_CLOCK,
    id: 'elsewhere-own-clock',
    when: "elsewhere, out of date as a control host's is",
    tells: [datesFinding],
  },
  {
    id: 'elsewhere-dates',
    when: 'elsewhere, but expired or not yet valid',
    holds: isDateWrong,
    ...confirmed('certificate-broken'),
    tells: [datesFinding, verificationFinding],
    summary: 'The certificate of {target} {dates}, and comes from {kind}',
  },
  {
    id: 'elsewhere-cut',
    when: 'elsewhere, but the connection was cut',
    holds: ({ ended }) => ended === 'cut',
    ...suspected('blocked'),
    tells: [cutFinding, verificationFinding],
    summary: 'The connection to {target} is cut right after the certificate',
  },
  {
    id: 'elsewhere',
    when: "elsewhere: for the right name, under a public authority (or Fortinet's own) that the profile does not take",
    holds: always,
    ...confirmed('vendor-ca-changed'),
    tells: [verificationFinding],
    summary: '{target} has a certificate from {kind}, not from a trusted one: {issuer}',
  },
];
