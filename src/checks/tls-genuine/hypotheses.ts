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
 * Intercepting devices have no trusted key, so an accepted chain is an interception only if it contains a device
 * certificate.
 */
export const HYPOTHESES_ACCEPTED: readonly Hypothesis[] = [
  {
    ...WRONG_CLOCK,
    id: 'own-clock',
    when:
      "accepted, but this machine's clock is wrong (a control host's certificate also seems expired or not yet valid)",
    tells: [datesFinding],
  },
  {
    id: 'device-and-more',
    when: "accepted, but the certificate is a device's factory certificate, and there is a witness",
    holds: ({ identity, witnessed }) => identity === 'device' && witnessed,
    ...confirmed('intercepted'),
    tells: [signs],
    summary: '{device} answers instead of {target} with its factory certificate',
  },
  {
    id: 'device',
    when: "accepted, but the certificate is a device's factory certificate",
    holds: ({ identity }) => identity === 'device',
    ...suspected('interception-suspected'),
    tells: [signs],
    summary: "{device} probably answers instead of {target}, because the certificate is a device's, not the server's",
    wouldSettle: '{view}',
  },
  {
    id: 'dates',
    when: 'accepted, but the certificate has expired or is not yet valid',
    holds: isDateWrong,
    ...confirmed('certificate-broken'),
    tells: [datesFinding],
    summary: 'The certificate of {target} was issued by a trusted authority, but {dates}',
  },
  {
    id: 'misnamed-and-more',
    when: 'accepted, but the certificate is for another name, and there is a witness',
    holds: (facts) => !isNamed(facts) && facts.witnessed,
    ...suspected('interception-suspected'),
    tells: [nameFinding, signs],
    summary: 'Another server probably answers instead of {target}, because the certificate is for another name',
    wouldSettle: '{view}',
  },
  {
    id: 'misnamed',
    when: 'accepted, but the certificate is for another name',
    holds: (facts) => !isNamed(facts),
    ...suspected('certificate-broken'),
    kind: 'misnamed',
    tells: [nameFinding],
    summary: 'The certificate of {target} was issued by a trusted authority, but is for another name',
    wouldSettle: `check whether FortiAuthenticator works. If FortiAuthenticator works, ${LEARN}`,
  },
  {
    id: 'gap',
    when: 'accepted under the profile `public`, but an intermediate certificate was not sent',
    holds: ({ gap, profile }) => gap && profile === 'public',
    ...confirmed('certificate-broken'),
    kind: 'incomplete',
    tells: [gapFinding],
    summary: '{target} does not send its whole chain, so clients without the missing certificate reject it',
  },
  {
    id: 'cut',
    when: 'accepted, but the connection was closed before the handshake was complete',
    holds: ({ ended }) => ended === 'cut',
    ...suspected('blocked'),
    tells: [cutFinding],
    summary: 'The connection to {target} is closed immediately after the genuine certificate is received',
  },
  {
    id: 'new-flaw',
    when: 'accepted, but the chain has a new flaw that makes TLS clients reject it',
    holds: ({ flaw }) => flaw === 'new',
    ...confirmed('certificate-broken'),
    kind: 'flawed',
    tells: [flawFindings],
    summary: 'TLS clients reject the new certificate of {target}: {flaw}',
  },
  {
    id: 'flaw',
    when:
      'accepted, but the chain has always had a flaw that may make TLS clients reject it (a warning)',
    holds: ({ flaw }) => flaw === 'old',
    ...suspected('certificate-broken'),
    kind: 'flawed',
    tells: [flawFindings],
    level: 'warning',
    summary: 'TLS clients may reject the certificate of {target}: {flaw}',
    wouldSettle: "check FortiAuthenticator's log to find out whether FortiAuthenticator connects nevertheless",
  },
  {
    id: 'other-authority',
    when: 'accepted, but the authority differs from the learned authority',
    holds: ({ baselineMatch, identity }) => baselineMatch === 'other-authority' && identity !== 'known-key',
    ...confirmed('vendor-ca-changed'),
    tells: [authorityFinding],
    summary: '{target} has a certificate from a trusted authority that differs from the learned authority: {issuer}',
  },
  {
    id: 'renewed',
    when: 'accepted, with a new key under the learned authority',
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
    summary: 'The certificate of {target} is genuine (under {label})',
  },
];

/** Chains with an unknown key that claim to be from the vendor or a public authority (see `isClaimed`). */
export const HYPOTHESES_CLAIMED: readonly Hypothesis[] = [
  {
    ...WRONG_CLOCK,
    id: 'claimed-own-clock',
    when:
      "claimed, but this machine's clock is wrong (a control host's certificate also seems expired or not yet valid)",
    tells: [datesFinding],
  },
  {
    id: 'claimed-dates',
    when: 'claimed, but the certificate has expired or is not yet valid',
    holds: isDateWrong,
    ...suspected('certificate-broken'),
    tells: [datesFinding, verificationFinding],
    summary: 'The certificate of {target} {dates}, and its issuer {issuer} is not trusted',
    wouldSettle: '{view}',
  },
  {
    id: 'claimed-cut',
    when: 'claimed, but the connection was closed',
    holds: ({ ended }) => ended === 'cut',
    ...suspected('blocked'),
    tells: [cutFinding, verificationFinding],
    summary: 'The connection to {target} is closed immediately after the certificate is received',
  },
  {
    id: 'claimed-hint',
    when: 'claimed, with a hint that a change at the vendor does not explain',
    holds: ({ hinted }) => hinted,
    ...suspected('interception-suspected'),
    tells: [verificationFinding, signs],
    summary: 'TLS to {target} may be intercepted by {by}',
    wouldSettle: '{view}',
  },
  {
    id: 'new-vendor-authority',
    when: "claimed (an authority with the vendor's name, but an unknown key)",
    holds: ({ claim }) => claim === 'vendor',
    ...suspected('vendor-ca-changed'),
    tells: [verificationFinding, signs, (chain) => (chain.identity === 'other' ? nameFinding(chain) : [])],
    summary: "{target} has a certificate from an authority with the vendor's name, but an unknown key: {end}",
    wouldSettle: '{authority}',
    open: {
      rule: 'authority-is-known',
      claim: '{end} is not a known authority, so FortiAuthenticator may not accept it.',
      expected: 'An authority with a known key',
    },
    advice: {
      summary: '{judgement}.',
      remedy: [
        'Either Fortinet has a new authority, or an inspecting device uses its name. Compare from another ' +
          'network. If the issuer is the same there, Fortinet has a new authority.',
        fortios(
          'Compare the issuer with the authorities on a FortiGate with current firmware. If the issuer is there, ' +
            'add that copy to trust.caFiles. Never use the copy from the connection itself.',
          'get vpn certificate ca details Fortinet_CA',
        ),
        'If FortiAuthenticator logs errors at the same time, it does not accept the certificate. Treat this as ' +
          'inspection until the comparison is complete, and ask TAC whether newer firmware contains the authority.',
      ],
    },
  },
  {
    id: 'public-incomplete',
    when: 'claimed (an authority with the name of a public authority, which was not sent)',
    holds: always,
    ...suspected('certificate-broken'),
    tells: [verificationFinding, signs],
    level: 'warning',
    summary: 'The chain of {target} is incomplete, because the certificate of the public authority {end} was not sent',
    wouldSettle: 'compare the intermediate certificates from another network',
    advice: {
      summary: '{judgement}.',
      remedy: [
        'A server must send the intermediate certificates with its certificate. Compare from another network. If ' +
          'the chain is incomplete there too, the fault is at the server.',
        'If the chain is complete there, a device on the path from this network answers instead of the server. Look ' +
          'for a device that inspects TLS.',
      ],
    },
  },
];

/** Certificates with the right name from an authority that inspection products cannot use. */
export const HYPOTHESES_ELSEWHERE: readonly Hypothesis[] = [
  {
    id: 'elsewhere-contradicted',
    when: 'elsewhere, but the genuine key is presented on another path',
    holds: ({ contradicted }) => contradicted,
    ...suspected('interception-suspected'),
    tells: [verificationFinding, signs],
    summary:
      'TLS to {target} is probably intercepted by {issuer}, because the genuine key is presented on another path',
    wouldSettle: '{view}',
  },
  {
    ...WRONG_CLOCK,
    id: 'elsewhere-own-clock',
    when:
      "elsewhere, but this machine's clock is wrong (a control host's certificate also seems expired or not yet valid)",
    tells: [datesFinding],
  },
  {
    id: 'elsewhere-dates',
    when: 'elsewhere, but the certificate has expired or is not yet valid',
    holds: isDateWrong,
    ...confirmed('certificate-broken'),
    tells: [datesFinding, verificationFinding],
    summary: 'The certificate of {target} {dates}, and was issued by {kind}',
  },
  {
    id: 'elsewhere-cut',
    when: 'elsewhere, but the connection was closed',
    holds: ({ ended }) => ended === 'cut',
    ...suspected('blocked'),
    tells: [cutFinding, verificationFinding],
    summary: 'The connection to {target} is closed immediately after the certificate is received',
  },
  {
    id: 'elsewhere',
    when: "elsewhere (a public authority, or Fortinet's authority, that the profile does not accept)",
    holds: always,
    ...confirmed('vendor-ca-changed'),
    tells: [verificationFinding],
    summary: '{target} has a certificate from {kind} that is not trusted: {issuer}',
  },
];
