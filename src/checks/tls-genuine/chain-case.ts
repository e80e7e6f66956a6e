import { hostOf } from '../../core/authority.ts';
import { type Certificate, chainKey, type SentChain, sentChain } from '../../core/certificate.ts';
import { attributeValues, isSameName } from '../../core/distinguished-name.ts';
import { compareBaseline, type BaselineMatch } from './baseline.ts';
import { type Claim, claimOf } from './claim.ts';
import { deviceOf } from './device-certificate.ts';
import { judgeFlaws } from './judge-flaws.ts';
import { matchesName } from './name-match.ts';
import type { SignatureChecks } from './signature-checks.ts';
import { findChainTrust, type ChainTrust, type ChainTrustOptions } from './chain-trust.ts';
import type { TlsEvidence, TrustedPath } from './tls-evidence.ts';

/**
 * Whose certificate the leaf is. `known-key`: its own key is pinned or learned. `named`: it is for the name that was
 * asked for. `known-subject`: its subject is that of a learned leaf. `device`: a factory certificate of a Fortinet
 * unit. `other`: none of them.
 */
export type Identity = 'known-key' | 'named' | 'known-subject' | 'device' | 'other';

/**
 * `clock`: a public control host's certificate is out of date in the same direction, so it is this machine that is
 * wrong.
 */
export type Dates = 'valid' | 'expired' | 'not-yet-valid' | 'clock';

/** One chain with all that is known about it by itself, before anything is compared. */
export interface ChainCase {
  readonly evidence: TlsEvidence;
  readonly leaf: Certificate;
  readonly sent: SentChain;
  readonly chainTrust: ChainTrust;
  readonly claim: Claim;
  readonly identity: Identity;
  readonly dates: Dates;
  readonly baselineMatch: BaselineMatch;
  /** Null: the chain leads to no key that the profile takes. */
  readonly accepted: TrustedPath | null;
  /** A certificate on the path that was not sent, and is no trusted end either: the server forgot it. */
  readonly gap: Certificate | null;
  readonly checks: SignatureChecks;
}

export function openCase(sent: SentChain, evidence: TlsEvidence, checks: SignatureChecks): ChainCase {
  const [leaf] = sent;
  const chainTrust = chainTrustOf(sent, evidence, checks);
  return {
    evidence,
    leaf,
    sent,
    chainTrust,
    claim: claimOf(chainTrust, sent, evidence.trust),
    identity: identify(leaf, evidence),
    dates: judgeDates(chainTrust, evidence, checks),
    accepted: judgeFlaws(chainTrust, evidence, checks),
    baselineMatch: compareBaseline(evidence.baseline, leaf, chainTrust.authorities),
    gap:
      chainTrust.path
        .slice(1, -1)
        .find((link) => !sent.some((certificate) => certificate.fingerprint === link.fingerprint)) ?? null,
    checks,
  };
}

/**
 * Whether a key that the profile takes has signed it for the right name: nothing that is seen elsewhere says otherwise
 * then, so that nothing need be compared.
 */
export function isBeyondComparison({ accepted, identity }: ChainCase): boolean {
  return accepted !== null && isRightful(identity);
}

/** The certificate of the server that was asked for, as far as its names and its key tell. */
export function isRightful(identity: Identity): boolean {
  return identity !== 'other' && identity !== 'device';
}

/** Where any chain of this target ends, the references' included. */
export function chainTrustOf(sent: SentChain, evidence: TlsEvidence, checks: SignatureChecks): ChainTrust {
  return findChainTrust(sent, chainTrustOptions(evidence, checks));
}

export function chainTrustOptions(evidence: TlsEvidence, checks: SignatureChecks): ChainTrustOptions {
  return {
    profile: evidence.profile,
    trust: evidence.trust,
    baseline: evidence.baseline,
    helpers: evidence.references.flatMap(({ chain }) => chain.certificates.slice(1)),
    host: evidence.serverName ?? hostOf(evidence.target),
    now: evidence.now,
    checks,
  };
}

/** Whose certificate this is, for this target. */
export function identify(leaf: Certificate, evidence: TlsEvidence): Identity {
  const { baseline, profile, serverName, target, trust } = evidence;
  const pinned = [...trust.pins.map((pin) => pin.pin), ...(baseline?.leaves ?? []).map((known) => known.pin)];
  if (pinned.includes(leaf.pin)) return 'known-key';
  const names = serverName === null ? [hostOf(target)] : [serverName, hostOf(target)];
  // What names the genuine certificate carries is not published: under the private authority a CN may have to do.
  if (names.some((name) => matchesName(leaf, name, { commonName: profile === 'fortinet' }))) return 'named';
  if (
    attributeValues(leaf.subject, 'CN').length > 0 &&
    baseline?.leaves.some((known) => isSameName(known.subject, leaf.subject))
  ) {
    return 'known-subject';
  }
  return deviceOf(leaf) === null ? 'other' : 'device';
}

function judgeDates(chainTrust: ChainTrust, evidence: TlsEvidence, checks: SignatureChecks): Dates {
  const { now } = evidence;
  // The end of the path is trusted as it stands; its dates bind nobody.
  const links = chainTrust.path.length > 1 ? chainTrust.path.slice(0, -1) : chainTrust.path;
  const isExpired = (certificate: Certificate): boolean => now > certificate.notAfter;
  const isEarly = (certificate: Certificate): boolean => now < certificate.notBefore;
  const wrong = [isExpired, isEarly].find((test) => links.some(test));
  if (wrong === undefined) return 'valid';
  if (publicControlLeaves(evidence, checks).some(wrong)) return 'clock';
  return wrong === isExpired ? 'expired' : 'not-yet-valid';
}

function publicControlLeaves(evidence: TlsEvidence, checks: SignatureChecks): readonly Certificate[] {
  return evidence.controls.flatMap(({ target, chain }) => {
    const sent = sentChain(chain);
    return sent !== null && isPublicChain(sent, hostOf(target), evidence, checks) ? [sent[0]] : [];
  });
}

/** Whether a control host's chain ends at one of Mozilla's roots, whatever its dates. */
export function isPublicChain(sent: SentChain, host: string, evidence: TlsEvidence, checks: SignatureChecks): boolean {
  const { now, trust } = evidence;
  const publicOnly = { pins: [], anchors: [], publicRoots: trust.publicRoots };
  // Asked for each target again, of the same few control hosts.
  return checks.once(
    `public ${host} ${chainKey(sent)}`,
    () =>
      findChainTrust(sent, { profile: 'public', trust: publicOnly, baseline: null, helpers: [], host, now, checks })
        .kind === 'public',
  );
}
