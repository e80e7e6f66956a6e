import {
  authorityFinding,
  cutFinding,
  datesFinding,
  flawFindings,
  gapFinding,
  nameFinding,
  renewalFinding,
  verificationFinding,
} from './expectations.ts';
import {
  always,
  confirmed,
  type Hypothesis,
  LEARN,
  signs,
  suspected,
  WRONG_CLOCK,
  isDateWrong,
  isNamed,
} from './hypothesis.ts';
import { fortios } from '../../engine/model.ts';

/**
 * Hypotheses for chains that the profile accepts. Only a device certificate can make them an interception, because an
 * intercepting device has no trusted key.
 */
export const HYPOTHESES_ACCEPTED: readonly Hypothesis[] = [
  {
    ...WRONG_CLOCK,
    id: 'own-clock',
    when: "accepted, but out of date, and so is a control host's: this machine's clock is wrong",
    tells: [datesFinding],
  },
  {
    id: 'device-and-more',
    when: "accepted, but a device's factory certificate, and a witness of interception",
    holds: ({ identity, witnessed }) => identity === 'device' && witnessed,
    ...confirmed('intercepted'),
    tells: [signs],
    summary: '{device} answers in place of {target} with its factory certificate',
  },
  {
    id: 'device',
    when: "accepted, but a device's factory certificate",
    holds: ({ identity }) => identity === 'device',
    ...suspected('interception-suspected'),
    tells: [signs],
    summary: "{device} seems to answer in place of {target}: the certificate is a device's, not the server's",
    wouldSettle: '{view}',
  },
  {
    id: 'dates',
    when: 'accepted, but expired or not yet valid',
    holds: isDateWrong,
    ...confirmed('certificate-broken'),
    tells: [datesFinding],
    summary: 'The certificate of {target} comes from a trusted authority but {dates}',
  },
  {
    id: 'misnamed-and-more',
    when: 'accepted, but for another name, and a witness of interception',
    holds: (facts) => !isNamed(facts) && facts.witnessed,
    ...suspected('interception-suspected'),
    tells: [nameFinding, signs],
    summary: 'Something else seems to answer in place of {target}: the certificate is for another name',
    wouldSettle: '{view}',
  },
  {
    id: 'misnamed',
    when: 'accepted, but for another name',
    holds: (facts) => !isNamed(facts),
    ...suspected('certificate-broken'),
    kind: 'misnamed',
    tells: [nameFinding],
    summary: 'The certificate of {target} comes from a trusted authority but is for another name',
    wouldSettle: `Whether FortiAuthenticator works: then ${LEARN}`,
  },
  {
    id: 'gap',
    when: 'accepted with an intermediate that was not sent, under the profile public',
    holds: ({ gap, profile }) => gap && profile === 'public',
    ...confirmed('certificate-broken'),
    kind: 'incomplete',
    tells: [gapFinding],
    summary: '{target} does not send its whole chain: clients without the missing certificate refuse it',
  },
  {
    id: 'cut',
    when: 'accepted, but the connection was cut before the handshake ended',
    holds: ({ ended }) => ended === 'cut',
    ...suspected('blocked'),
    tells: [cutFinding],
    summary: 'The connection to {target} is cut right after the genuine certificate',
  },
  {
    id: 'new-flaw',
    when: 'accepted, but with a flaw for which TLS clients refuse it, and which it did not have before',
    holds: ({ flaw }) => flaw === 'new',
    ...confirmed('certificate-broken'),
    kind: 'flawed',
    tells: [flawFindings],
    summary: 'TLS clients refuse the certificate of {target} since it has changed: {flaw}',
  },
  {
    id: 'flaw',
    when: 'accepted, but with such a flaw, and no chain without it was seen before: a warning',
    holds: ({ flaw }) => flaw === 'old',
    ...suspected('certificate-broken'),
    kind: 'flawed',
    tells: [flawFindings],
    level: 'warning',
    summary: 'TLS clients may refuse the certificate of {target}: {flaw}',
    wouldSettle: 'The log of FortiAuthenticator: whether it connects nevertheless',
  },
  {
    id: 'other-authority',
    when: 'accepted, but under another authority than learned',
    holds: ({ baselineMatch, identity }) => baselineMatch === 'other-authority' && identity !== 'known-key',
    ...confirmed('vendor-ca-changed'),
    tells: [authorityFinding],
    summary: '{target} has a certificate from another trusted authority than learned: {issuer}',
  },
  {
    id: 'renewed',
    when: 'accepted, with another key under the learned authority',
    holds: ({ baselineMatch, identity }) => baselineMatch === 'same-authority' && identity !== 'known-key',
    ...confirmed('rotated'),
    tells: [renewalFinding],
    summary: '{target} has a new certificate under the same authority',
  },
  {
    id: 'genuine',
    when: 'accepted',
    holds: always,
    ...confirmed('genuine'),
    tells: [],
    summary: 'The certificate of {target} is genuine, under {label}',
  },
];

/**
 * Hypotheses for chains that claim to come from the vendor or a public authority with an unknown key, see `isClaimed`.
 */
export const HYPOTHESES_CLAIMED: readonly Hypothesis[] = [
  {
    ...WRONG_CLOCK,
    id: 'claimed-own-clock',
    when: "claimed, out of date as a control host's is",
    tells: [datesFinding],
  },
  {
    id: 'claimed-dates',
    when: 'claimed, but expired or not yet valid',
    holds: isDateWrong,
    ...suspected('certificate-broken'),
    tells: [datesFinding, verificationFinding],
    summary: 'The certificate of {target} {dates}, and its issuer {issuer} leads to no trusted key',
    wouldSettle: '{view}',
  },
  {
    id: 'claimed-cut',
    when: 'claimed, but the connection was cut',
    holds: ({ ended }) => ended === 'cut',
    ...suspected('blocked'),
    tells: [cutFinding, verificationFinding],
    summary: 'The connection to {target} is cut right after the certificate',
  },
  {
    id: 'claimed-hint',
    when: 'claimed, with a hint that a change at the vendor does not explain',
    holds: ({ hinted }) => hinted,
    ...suspected('interception-suspected'),
    tells: [verificationFinding, signs],
    summary: 'TLS to {target} may be intercepted: its certificate is issued by {by}',
    wouldSettle: '{view}',
  },
  {
    id: 'new-vendor-authority',
    when: 'claimed to be the vendor: an authority of its name under a key that is not known',
    holds: ({ claim }) => claim === 'vendor',
    ...suspected('vendor-ca-changed'),
    tells: [verificationFinding, signs, (chain) => (chain.identity === 'other' ? nameFinding(chain) : [])],
    summary: "{target} has a certificate from an authority of the vendor's name whose key is not known: {end}",
    wouldSettle: '{authority}',
    open: {
      rule: 'authority-is-known',
      claim: '{end} is not a known authority: whether FortiAuthenticator accepts it is not known.',
      expected: 'An authority whose key is known',
    },
    advice: {
      summary: '{judgement}.',
      remedy: [
        'Either Fortinet has a new authority, or a device that inspects has taken its name. Compare from another ' +
          'network: if the issuer is the same there, it is Fortinet that has changed it.',
        fortios(
          'Compare the issuer with the authorities of a FortiGate with current firmware. Where it has this one, take ' +
            'it from there into trust.caFiles, never from the connection itself.',
          'get vpn certificate ca details Fortinet_CA',
        ),
        'If FortiAuthenticator logs errors at the same time, it does not accept the certificate: treat it as ' +
          'inspection until the comparison says otherwise, and ask TAC whether newer firmware knows the authority.',
      ],
    },
  },
  {
    id: 'public-incomplete',
    when: 'claimed to be public: an authority that was not sent, of the name of a public one',
    holds: always,
    ...suspected('certificate-broken'),
    tells: [verificationFinding, signs],
    level: 'warning',
    summary: 'The chain of {target} is incomplete: it ends at the public authority {end}, which was not sent',
    wouldSettle: 'The intermediate certificates, which a server has to send along with its own',
    advice: {
      summary: '{judgement}.',
      remedy: [
        'A server has to send the intermediate certificates along with its own. Compare from another network: if ' +
          'the chain is as short there, the fault is at the server.',
        'If the chain is complete from there, a device on the way of this network answers in its place: look for ' +
          'one that inspects TLS.',
      ],
    },
  },
];

/** Hypotheses for chains for the right name under an authority that no inspection product has, see `isElsewhere`. */
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
