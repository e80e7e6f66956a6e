import { fortios } from '../../engine/words/step.ts';
import { cutFinding, datesFinding, nameFinding, verificationFinding } from './expectations.ts';
import { always, type Hypothesis, signs, suspected, WRONG_CLOCK } from './hypothesis.ts';
import { isDateWrong } from './verdict-facts.ts';

/** Of the chains that claim to come from the vendor or a public authority, whose key is not known: see `isClaimed`. */
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
      claim: '{end} is not a known authority: nobody can say whether FortiAuthenticator accepts it.',
      expected: 'An authority whose key is known',
      actual: '{end} is not known: nobody can say whether FortiAuthenticator accepts it',
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
