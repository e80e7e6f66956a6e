import { attributeValues } from '../../tls/names.ts';
import type { TlsOutcome } from '../../core/observation.ts';
import type { Confidence, FindingLevel } from '../../engine/model.ts';
import { type BaselineMatch, trustUnder } from '../../tls/trust.ts';
import type { CertificateKind } from './causes.ts';
import { type ChainCase, isRightful, type Verdict } from './chain-case.ts';
import { flawFindings } from './expectations.ts';
import type { Signal } from './signals.ts';

/**
 * All values of each fact, so that all combinations can be tested.
 *
 * - `accepted`: with the profile `public`, a chain to a public root is also accepted
 * - `gap`: the server did not send a required intermediate certificate, but it is known from another source
 * - `flawed`: an accepted chain has a flaw that makes TLS clients reject it
 * - `trusting`: any trusted key is configured
 * - `ended`: how the connection ended after the certificate was received. `cut`: reset, closed or timed out. `alert`:
 *   the peer sent a TLS alert with a reason
 * - `witnessed`: this round produced an observation that a change on the vendor's side cannot explain
 * - `contradicted`: the genuine key was observed on another path to the same name
 * - `hinted`: a difference from earlier observations that a change on the vendor's side does not explain
 */
export const FACT_VALUES = {
  chainTrust: ['trusted', 'weak', 'public', 'vendor', 'foreign', 'forged', 'incomplete', 'unfinished'],
  accepted: [true, false],
  claim: ['vendor', 'public', 'other'],
  identity: ['known-key', 'named', 'known-subject', 'device', 'other'],
  dates: ['valid', 'expired', 'not-yet-valid', 'clock'],
  baselineMatch: ['none', 'same-leaf', 'same-authority', 'other-authority'],
  gap: [true, false],
  profile: ['fortinet', 'public', 'pinned'],
  flawed: [false, true],
  trusting: [true, false],
  ended: ['handshake', 'alert', 'cut'],
  witnessed: [true, false],
  contradicted: [true, false],
  hinted: [true, false],
} as const;

export type VerdictFacts = { readonly [Fact in keyof typeof FACT_VALUES]: (typeof FACT_VALUES)[Fact][number] };

/** Who signed the chain, as far as keys and names show. In the order of docs/internals/interception.md. */
export const ORIGINS = {
  accepted: 'a key that the profile accepts',
  weak: 'a trusted key, but with a weak key, a weak signature or a certificate that is not for servers, and no witness',
  elsewhere: "a public authority or Fortinet's, which the profile does not accept, and the name matches",
  claimed: 'an unknown key, but the chain claims to be from the vendor or a public authority',
  unfinished: 'not known, because the limits for verifying one chain were reached (64 signatures or 250 ms)',
  unconfigured: 'not known, because no authority is trusted (the profile `pinned` without a pin)',
  untrusted: 'any other key, or a witness shows that the chain is not genuine',
} as const;

type Origin = keyof typeof ORIGINS;

/** What decides the verdict. The first one that applies to the origin decides. */
export const REASONS = {
  witness: 'there is a witness',
  contradiction: 'the genuine key is presented on another path',
  clock: "the ftm-watch machine's clock is wrong (an unrelated host's certificate also seems expired or not yet valid)",
  device: "the certificate is a device's factory certificate",
  dates: 'the certificate has expired or is not yet valid',
  name: 'the certificate is for another name',
  gap: 'an intermediate certificate was not sent, under the profile `public`',
  cut: 'the connection was closed before the handshake was complete',
  signer: "a change on the vendor's side does not explain the chain",
  flaw: 'the chain has a flaw that makes TLS clients reject it',
  authority: 'the authority is not the expected one',
  key: 'the key is new, under the learned authority',
  strength: 'the origin alone',
  limits: 'the origin alone',
  trust: 'the origin alone',
  everywhere: 'other networks are presented the same certificate',
  renewal: 'the certificate follows a pinned one, and other networks have not answered yet',
  none: 'everything is as expected',
} as const;

export type Reason = keyof typeof REASONS;

interface Outcome {
  readonly verdict: Verdict;
  readonly confidence: Confidence;
  readonly kind?: CertificateKind;
  /** Replaces the verdict's usual level. */
  readonly level?: FindingLevel;
}

export interface Decision extends Outcome {
  readonly origin: Origin;
  readonly reason: Reason;
}

/**
 * Intercepting devices have no trusted key, so an accepted chain is an interception only if it contains a device
 * certificate. If a chain is not accepted, a witness in this round confirms an interception. Without a witness, the
 * verdict depends on whether a change on the vendor's side, such as a new authority or a missing intermediate
 * certificate, can explain the chain.
 */
export function decide(facts: VerdictFacts): Decision {
  const origin = originOf(facts);
  const reason = reasonOf(origin, facts);
  return { origin, reason, ...OUTCOMES[reason](facts, origin) };
}

/**
 * The verdict if other networks are presented the same certificate. Nothing near this site replaces it, so whatever
 * this site alone would suspect is a change on the vendor's side.
 */
export function decideEverywhere(facts: VerdictFacts): Decision {
  const here = decide(facts);
  return LOCAL.has(`${here.verdict} ${here.confidence}`)
    ? { origin: here.origin, reason: 'everywhere', ...OUTCOMES.everywhere(facts, here.origin) }
    : here;
}

/** The verdict while other networks are being asked about a certificate that follows a pinned one. */
export function decideLater(facts: VerdictFacts): Decision {
  const here = decide(facts);
  return here.confidence === 'suspected' && LOCAL.has(`${here.verdict} ${here.confidence}`)
    ? { origin: here.origin, reason: 'renewal', ...OUTCOMES.renewal(facts, here.origin) }
    : here;
}

const LOCAL: ReadonlySet<string> = new Set([
  'intercepted confirmed',
  'interception-suspected suspected',
  'vendor-ca-changed suspected',
] satisfies `${Verdict} ${Confidence}`[]);

function originOf(facts: VerdictFacts): Origin {
  const { accepted, chainTrust, identity, witnessed } = facts;
  if (accepted) return 'accepted';
  if (chainTrust === 'weak' && !witnessed) return 'weak';
  // Inspection products cannot use public authorities or the vendor's authority.
  if ((chainTrust === 'public' || chainTrust === 'vendor') && isRightful(identity)) return 'elsewhere';
  if (witnessed) return 'untrusted';
  if (chainTrust === 'unfinished') return 'unfinished';
  if (!facts.trusting) return 'unconfigured';
  return isClaimed(facts) ? 'claimed' : 'untrusted';
}

/**
 * Fortinet does not publish the names in the genuine certificate, so a certificate with an unexpected name may still be
 * the vendor's.
 */
function isClaimed({ chainTrust, claim, identity, profile }: VerdictFacts): boolean {
  const isVendors = claim === 'vendor' && (chainTrust === 'incomplete' || chainTrust === 'foreign');
  if (isVendors && profile === 'fortinet') return identity !== 'device';
  return isRightful(identity) && (isVendors || (claim === 'public' && chainTrust === 'incomplete'));
}

function reasonOf(origin: Origin, facts: VerdictFacts): Reason {
  switch (origin) {
    case 'accepted':
      return faultOf(facts) ?? differenceOf(facts);
    case 'weak':
      return 'strength';
    case 'elsewhere':
      return facts.contradicted ? 'contradiction' : (doubtOf(facts) ?? 'authority');
    case 'claimed':
      return doubtOf(facts) ?? (facts.hinted ? 'signer' : 'authority');
    case 'unfinished':
      return 'limits';
    case 'unconfigured':
      return 'trust';
    case 'untrusted':
      return ofUntrusted(facts);
  }
}

function ofUntrusted({ witnessed, identity }: VerdictFacts): Reason {
  if (witnessed) return 'witness';
  if (identity === 'device') return 'device';
  return isRightful(identity) ? 'signer' : 'name';
}

/** Faults that take precedence over an authority that is not accepted. */
function doubtOf({ dates, ended }: VerdictFacts): Reason | null {
  if (dates === 'clock') return 'clock';
  if (dates !== 'valid') return 'dates';
  return ended === 'cut' ? 'cut' : null;
}

function faultOf({ dates, identity, gap, profile, ended, flawed }: VerdictFacts): Reason | null {
  if (dates === 'clock') return 'clock';
  if (identity === 'device') return 'device';
  if (dates !== 'valid') return 'dates';
  if (!isRightful(identity)) return 'name';
  if (gap && profile === 'public') return 'gap';
  if (ended === 'cut') return 'cut';
  return flawed ? 'flaw' : null;
}

function differenceOf({ identity, baselineMatch }: VerdictFacts): Reason {
  if (identity === 'known-key') return 'none';
  if (baselineMatch === 'other-authority') return 'authority';
  return baselineMatch === 'same-authority' ? 'key' : 'none';
}

const OUTCOMES: Readonly<Record<Reason, (facts: VerdictFacts, origin: Origin) => Outcome>> = {
  witness: () => confirmed('intercepted'),
  contradiction: () => suspected('interception-suspected'),
  clock: () => suspected('unknown'),
  device: ({ witnessed }) => (witnessed ? confirmed('intercepted') : suspected('interception-suspected')),
  dates: (_, origin) => (origin === 'claimed' ? suspected('certificate-broken') : confirmed('certificate-broken')),
  name: ({ witnessed }, origin) =>
    origin === 'accepted' && !witnessed
      ? { ...suspected('certificate-broken'), kind: 'misnamed' }
      : suspected('interception-suspected'),
  gap: () => ({ ...confirmed('certificate-broken'), kind: 'incomplete' }),
  cut: () => suspected('blocked'),
  signer: () => suspected('interception-suspected'),
  flaw: () => ({ ...suspected('certificate-broken'), kind: 'flawed', level: 'warning' }),
  authority: ofAuthority,
  key: () => confirmed('rotated'),
  strength: () => ({ ...suspected('certificate-broken'), kind: 'weak' }),
  limits: () => suspected('unknown'),
  trust: () => suspected('unknown'),
  everywhere: ({ witnessed }) => ({
    ...(witnessed ? suspected('vendor-ca-changed') : confirmed('vendor-ca-changed')),
    kind: 'everywhere',
  }),
  renewal: () => suspected('unknown'),
  none: () => confirmed('genuine'),
};

function ofAuthority({ chainTrust, claim }: VerdictFacts, origin: Origin): Outcome {
  if (origin === 'claimed')
    return claim === 'vendor'
      ? { ...suspected('vendor-ca-changed'), kind: 'unknown-authority' }
      : { ...suspected('certificate-broken'), level: 'warning' };
  return origin === 'elsewhere' && chainTrust === 'public'
    ? { ...confirmed('vendor-ca-changed'), kind: 'public-authority' }
    : confirmed('vendor-ca-changed');
}

function confirmed(verdict: Verdict): Outcome {
  return { verdict, confidence: 'confirmed' };
}

/** Other explanations are possible. */
function suspected(verdict: Verdict): Outcome {
  return { verdict, confidence: 'suspected' };
}

export function gatherFacts(chain: ChainCase, signals: readonly Signal[]): VerdictFacts {
  const { chainTrust, evidence, identity, claim, dates } = chain;
  const witnesses = signals.filter(({ weight }) => weight === 'witness');
  return {
    chainTrust: chainTrust.kind,
    accepted: chain.accepted,
    claim,
    identity,
    dates,
    baselineMatch: baselineMatchOf(chain),
    gap: chain.gap !== null,
    profile: evidence.profile,
    flawed: flawFindings(chain).length > 0,
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
