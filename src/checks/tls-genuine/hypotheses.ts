import { attributeValues } from '../../core/certificate.ts';
import type { TlsOutcome } from '../../core/observation.ts';
import type { Confidence, Finding, FindingLevel, Told } from '../../engine/model.ts';
import type { ChainTrust } from '../../tls/chain.ts';
import { type BaselineMatch, type TrustProfile, trustUnder } from '../../tls/trust.ts';
import type { CertificateKind } from './causes.ts';
import { ageOf, type ChainCase, type FlawAge, isRightful, type Verdict } from './chain-case.ts';
import {
  authorityFinding,
  cutFinding,
  datesFinding,
  flawFindings,
  gapFinding,
  nameFinding,
  renewalFinding,
  strengthFinding,
  verificationFinding,
} from './expectations.ts';
import type { Signal } from './signals.ts';

/** A row in the verdict table: an explanation, its condition, and its messages. */
export interface Hypothesis {
  readonly id: string;
  /** The condition in words, for docs/internals/interception.md. */
  readonly when: string;
  /** The first matching row determines the verdict. */
  readonly holds: (facts: VerdictFacts) => boolean;
  readonly verdict: Verdict;
  readonly confidence: Confidence;
  readonly tells: readonly Telling[];
  /** May contain placeholders from `WORDS` in verdict.ts. */
  readonly summary: string;
  /** Action that would lead to a definite result, worded as the end of a sentence with placeholders. */
  readonly wouldSettle?: string;
  readonly kind?: CertificateKind;
  /** Replaces the verdict's default level. */
  readonly level?: FindingLevel;
  /** Additional findings with the level `unknown`. Claims can contain placeholders. */
  readonly open?: (chain: ChainCase) => readonly Told[];
  readonly advice?: NonNullable<Finding['advice']>;
}

type Telling = (chain: ChainCase, signals: readonly Signal[]) => Told | readonly Told[];

/** Used if the chain alone is not sufficient evidence. */
const signs: Telling = (_, signals) => signals.map(({ weight: _weight, product: _product, ...told }): Told => told);

function always(): boolean {
  return true;
}

/** For a chain that only seems to be out of date because this machine's clock is wrong. */
const WRONG_CLOCK: Omit<Hypothesis, 'id' | 'when' | 'tells'> = {
  holds: ({ dates }) => dates === 'clock',
  ...suspected('unknown'),
  summary: "The certificate of {target} cannot be checked, because this machine's clock is wrong",
  wouldSettle: "correct this machine's clock",
};

type Said = Pick<Hypothesis, 'verdict' | 'confidence'>;

function confirmed(verdict: Verdict): Said {
  return { verdict, confidence: 'confirmed' };
}

/** Other explanations are possible. */
function suspected(verdict: Verdict): Said {
  return { verdict, confidence: 'suspected' };
}

/**
 * FortiAuthenticator is documented to accept only Fortinet's authority. Whether its firmware also accepts public
 * authorities is not known. With the profile `public`, the host is known to use one.
 */
function unlessPublicIsExpected({ evidence, chainTrust }: ChainCase): readonly Told[] {
  if (evidence.profile === 'public') return [];
  const is = chainTrust.kind === 'public' ? 'is' : 'has the name of';
  return [
    {
      rule: 'authority-is-accepted',
      claim: `{end} ${is} a public authority, so FortiAuthenticator may not accept the certificate.`,
      expected: "Fortinet's authority",
    },
  ];
}

export const LEARN = 'learn the chain with "ftm-watch trust learn" on a path that is known to be clean';

const WHETHER_IT_WORKS = `check whether FortiAuthenticator works. If FortiAuthenticator works, ${LEARN}`;

/** Every field has only a few possible values, so that all combinations can be tested. */
interface VerdictFacts extends Pick<ChainCase, 'claim' | 'identity' | 'dates' | 'baselineMatch'> {
  readonly chainTrust: ChainTrust['kind'];
  /** With the profile `public`, a chain to a public root is also accepted. */
  readonly accepted: boolean;
  /** The server did not send a required intermediate certificate, but it is known from another source. */
  readonly gap: boolean;
  readonly profile: TrustProfile;
  /** Whether an accepted chain has an old or a new flaw that makes TLS clients reject it. */
  readonly flaw: FlawAge;
  /** Any trusted key is configured. */
  readonly trusting: boolean;
  /**
   * How the connection ended after the certificate was received. `cut`: reset, closed or timed out. `alert`: the peer
   * sent a TLS alert with a reason.
   */
  readonly ended: 'handshake' | 'alert' | 'cut';
  /** This round produced an observation that a change on the vendor's side cannot explain. */
  readonly witnessed: boolean;
  /** The genuine key was observed on another path to the same name. */
  readonly contradicted: boolean;
  /** At least one signal is a hint (see `Signal`), which depends on earlier observations. */
  readonly hinted: boolean;
}

function isDateWrong({ dates }: VerdictFacts): boolean {
  return dates === 'expired' || dates === 'not-yet-valid';
}

function isNamed({ identity }: VerdictFacts): boolean {
  return isRightful(identity);
}

/** Inspection products cannot use public authorities or the vendor's authority. */
function isElsewhere(facts: VerdictFacts): boolean {
  return (facts.chainTrust === 'public' || facts.chainTrust === 'vendor') && !facts.accepted && isNamed(facts);
}

/**
 * Fortinet does not publish the names in the genuine certificate, so a certificate with an unexpected name may still be
 * the vendor's.
 */
function isClaimed(facts: VerdictFacts): boolean {
  const isVendors = facts.claim === 'vendor' && (facts.chainTrust === 'incomplete' || facts.chainTrust === 'foreign');
  if (isVendors && facts.profile === 'fortinet') return facts.identity !== 'device';
  return isNamed(facts) && (isVendors || (facts.claim === 'public' && facts.chainTrust === 'incomplete'));
}

export function gatherFacts(chain: ChainCase, signals: readonly Signal[]): VerdictFacts {
  const { chainTrust, evidence, identity, claim, dates } = chain;
  const witnesses = signals.filter(({ weight }) => weight === 'witness');
  return {
    chainTrust: chainTrust.kind,
    accepted: chain.accepted !== null,
    claim,
    identity,
    dates,
    baselineMatch: baselineMatchOf(chain),
    gap: chain.gap !== null,
    profile: evidence.profile,
    flaw: ageOf(chain.accepted?.flaws ?? [], evidence.knownFlaws),
    trusting: isAnythingTrusted(chain),
    ended: endOf(evidence.outcome),
    witnessed: witnesses.length > 0,
    contradicted: witnesses.some(({ rule }) => rule === 'reference-path-agrees'),
    hinted: signals.some(({ weight }) => weight === 'hint'),
  };
}

function isAnythingTrusted({ evidence }: ChainCase): boolean {
  const { pins, anchors } = trustUnder(evidence.profile, evidence.trust);
  return evidence.profile !== 'pinned' || evidence.baseline !== null || pins.length + anchors.length > 0;
}

/** A public authority may change its root or intermediate certificates, so only its organization is compared. */
function baselineMatchOf({ baselineMatch, chainTrust, evidence }: ChainCase): BaselineMatch {
  const root = chainTrust.kind === 'public' ? chainTrust.path.at(-1) : undefined;
  if (root === undefined) return baselineMatch;
  const organizations = new Set(
    (evidence.baseline?.authorities ?? []).flatMap((authority) => attributeValues(authority.subject, 'O')),
  );
  return attributeValues(root.subject, 'O').some((organization) => organizations.has(organization))
    ? 'same-authority'
    : baselineMatch;
}

function endOf(outcome: TlsOutcome): VerdictFacts['ended'] {
  if (outcome.kind !== 'failed') return 'handshake';
  if (outcome.alert !== null) return 'alert';
  return ['reset', 'closed', 'timeout', 'protocol'].includes(outcome.reason) ? 'cut' : 'handshake';
}

/**
 * Intercepting devices have no trusted key, so an accepted chain is an interception only if it contains a device
 * certificate.
 */
const ACCEPTED: readonly Hypothesis[] = [
  {
    ...WRONG_CLOCK,
    id: 'own-clock',
    when: "accepted, but this machine's clock is wrong (a control host's certificate also seems expired or not yet valid)",
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
    summary: '{outdated} was issued by a trusted authority, but {dates}',
  },
  {
    id: 'misnamed-and-more',
    when: 'accepted, but the certificate is for another name, and there is a witness',
    holds: (facts) => !isNamed(facts) && facts.witnessed,
    ...suspected('interception-suspected'),
    tells: [nameFinding, signs],
    summary: 'Another server probably answers instead of {target}, because the certificate is for another name',
    wouldSettle: 'compare the certificate from another network',
  },
  {
    id: 'misnamed',
    when: 'accepted, but the certificate is for another name',
    holds: (facts) => !isNamed(facts),
    ...suspected('certificate-broken'),
    kind: 'misnamed',
    tells: [nameFinding],
    summary: 'The certificate of {target} was issued by a trusted authority, but is for another name',
    wouldSettle: WHETHER_IT_WORKS,
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
    when: 'accepted, but the chain has always had a flaw that may make TLS clients reject it (a warning)',
    holds: ({ flaw }) => flaw === 'old',
    ...suspected('certificate-broken'),
    kind: 'flawed',
    tells: [flawFindings],
    level: 'warning',
    summary: 'TLS clients may reject the certificate of {target}: {flaw}',
    wouldSettle: "check FortiAuthenticator's log to find out whether FortiAuthenticator connects anyway",
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
    summary: '{target} has a new certificate from the same authority',
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

/** Rows for chains with an unknown key that claim to be from the vendor or a public authority (see `isClaimed`). */
const CLAIMED: readonly Hypothesis[] = [
  {
    ...WRONG_CLOCK,
    id: 'claimed-own-clock',
    when: "claimed, but this machine's clock is wrong (a control host's certificate also seems expired or not yet valid)",
    tells: [datesFinding],
  },
  {
    id: 'claimed-dates',
    when: 'claimed, but the certificate has expired or is not yet valid',
    holds: isDateWrong,
    ...suspected('certificate-broken'),
    tells: [datesFinding, verificationFinding],
    summary: '{outdated} {dates}, and the chain leads to the unknown authority {end}',
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
    when: "claimed, with a hint that a change on the vendor's side does not explain",
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
    kind: 'unknown-authority',
    open: () => [
      {
        rule: 'authority-is-known',
        claim: '{end} is not a known authority, so FortiAuthenticator may not accept it.',
        expected: 'An authority with a known key',
      },
    ],
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
    open: unlessPublicIsExpected,
    advice: {
      summary: '{judgement}.',
      remedy: [
        'A server must send the intermediate certificates with its certificate. Check the chain from another ' +
          'network. If it is incomplete there too, the server is at fault.',
        'If the chain is complete there, a device on the path from this network answers instead of the server. Look ' +
          'for a device that inspects TLS.',
      ],
    },
  },
];

const ELSEWHERE_SUMMARY = '{target} has a certificate from {kind}, which its trust profile does not accept: {issuer}';

/** Rows for certificates with the right name from an authority that inspection products cannot use. */
const ELSEWHERE: readonly Hypothesis[] = [
  {
    id: 'elsewhere-contradicted',
    when: 'elsewhere, but the genuine key is presented on another path',
    holds: ({ contradicted }) => contradicted,
    ...suspected('interception-suspected'),
    tells: [verificationFinding, signs],
    summary: 'Another server probably answers instead of {target}, because another path leads to the genuine key',
    wouldSettle: 'compare the certificate from another network',
  },
  {
    ...WRONG_CLOCK,
    id: 'elsewhere-own-clock',
    when: "elsewhere, but this machine's clock is wrong (a control host's certificate also seems expired or not yet valid)",
    tells: [datesFinding],
  },
  {
    id: 'elsewhere-dates',
    when: 'elsewhere, but the certificate has expired or is not yet valid',
    holds: isDateWrong,
    ...confirmed('certificate-broken'),
    tells: [datesFinding, verificationFinding],
    summary: '{outdated} {dates}, and was issued by {kind}',
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
    id: 'elsewhere-public',
    when: 'elsewhere (a public authority, which FortiAuthenticator may not accept)',
    holds: ({ chainTrust }) => chainTrust === 'public',
    ...confirmed('vendor-ca-changed'),
    kind: 'public-authority',
    tells: [verificationFinding],
    summary: ELSEWHERE_SUMMARY,
    wouldSettle: WHETHER_IT_WORKS,
    open: unlessPublicIsExpected,
  },
  {
    id: 'elsewhere-vendor',
    when: "elsewhere (Fortinet's authority, which the profile does not accept)",
    holds: always,
    ...confirmed('vendor-ca-changed'),
    tells: [verificationFinding],
    summary: ELSEWHERE_SUMMARY,
  },
];

/** Matches chains that claim to be from another party, and chains whose key does not confirm the claimed name. */
const UNVERIFIED: Hypothesis = {
  id: 'unverified',
  when: 'otherwise (the authority claims to be neither the vendor nor a public authority, or the root is unknown)',
  holds: always,
  ...suspected('interception-suspected'),
  tells: [verificationFinding, signs],
  summary: 'TLS to {target} is probably intercepted by {by}',
  wouldSettle: '{view}',
};

/**
 * The table that determines the verdict. If a chain is not accepted, a witness in this round confirms an interception.
 * Without a witness, the verdict depends on whether a change on the vendor's side, such as a new authority or a missing
 * intermediate certificate, can explain the chain.
 * @internal
 */
export const HYPOTHESES: readonly Hypothesis[] = [
  ...where(({ accepted }) => accepted, ACCEPTED),
  {
    id: 'weak',
    when:
      'the chain leads to a trusted key, but contains a weak key, a weak signature or a certificate that is not for ' +
      'servers, and there is no witness',
    holds: ({ chainTrust, witnessed }) => chainTrust === 'weak' && !witnessed,
    ...suspected('certificate-broken'),
    kind: 'weak',
    tells: [strengthFinding],
    summary: 'The certificate of {target} has a key, signature or usage that is not acceptable',
  },
  ...where(isElsewhere, ELSEWHERE),
  {
    id: 'witnessed',
    when: 'not accepted, and there is a witness',
    holds: ({ witnessed }) => witnessed,
    ...confirmed('intercepted'),
    tells: [verificationFinding, signs],
    summary: 'TLS to {target} is intercepted by {by}',
  },
  {
    id: 'unfinished',
    when: 'not accepted, and the limits for verifying one chain were reached (64 signatures or 250 ms)',
    holds: ({ chainTrust }) => chainTrust === 'unfinished',
    ...suspected('unknown'),
    tells: [verificationFinding],
    summary:
      'It is unknown whether the certificate of {target} is genuine, because its chain has too many certificates or ' +
      'takes too long to verify',
    wouldSettle:
      'find the device or server that sends this chain, because genuine servers send two to four certificates',
  },
  {
    id: 'untrusting',
    when: 'no authority is trusted (the profile `pinned` without a pin)',
    holds: ({ trusting }) => !trusting,
    ...suspected('unknown'),
    tells: [verificationFinding],
    summary: 'It is unknown whether the certificate of {target} is genuine, because no trusted authority is configured',
    wouldSettle: `configure trust.pins or trust.caFiles, or ${LEARN}`,
  },
  ...where(isClaimed, CLAIMED),
  {
    id: 'untrusted-device',
    when: "not accepted, and the certificate is a device's factory certificate",
    holds: ({ identity }) => identity === 'device',
    ...suspected('interception-suspected'),
    tells: [verificationFinding, nameFinding, signs],
    summary: "{device} probably answers instead of {target}, because the certificate is a device's, not the server's",
    wouldSettle: '{view}',
  },
  {
    id: 'untrusted-other-name',
    when: 'not accepted, and the certificate is for another name',
    holds: (facts) => !isNamed(facts),
    ...suspected('interception-suspected'),
    tells: [verificationFinding, nameFinding, signs],
    summary:
      'Another server probably answers instead of {target}, because the certificate from {issuer} is for another name',
    wouldSettle: '{view}',
  },
  UNVERIFIED,
];

function where(condition: Hypothesis['holds'], rows: readonly Hypothesis[]): readonly Hypothesis[] {
  return rows.map((row) => ({ ...row, holds: (facts) => condition(facts) && row.holds(facts) }));
}

export function decide(facts: VerdictFacts): Hypothesis {
  return HYPOTHESES.find(({ holds }) => holds(facts)) ?? UNVERIFIED;
}
