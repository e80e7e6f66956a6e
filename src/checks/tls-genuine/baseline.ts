import { type CapturedChain, type Certificate, distinctCertificates } from '../../core/certificate.ts';
import type { EpochMs } from '../../core/clock.ts';
import { keyStrength } from './strength.ts';

/** What one target's certificates looked like on a path that a person confirmed. */
export interface Baseline {
  /** `host:port` */
  readonly target: string;
  readonly learnedAt: EpochMs;
  /** Leaf certificates: one for each node behind the name. */
  readonly leaves: readonly Certificate[];
  /** The authorities that lead from these leaves upwards, as far as they were sent or are trusted anyway. */
  readonly authorities: readonly Certificate[];
  /** The lowest protocol version that was agreed on; null when unknown. */
  readonly protocol: string | null;
  /** Fingerprints that a person typed: of authorities or leaves that nothing else confirms. */
  readonly accepted: readonly string[];
}

/** One clean look at the target. */
export interface LearnedChain {
  readonly chain: CapturedChain;
  /** The authorities above the leaf, found by signature: `TlsJudgement.authorities`. */
  readonly authorities: readonly Certificate[];
  readonly protocol: string | null;
}

const MAX_KEPT = 32;

/** By whom and when a chain is learned. */
export interface Learning {
  readonly now: EpochMs;
  readonly accepted: readonly string[];
}

/** Makes a baseline out of one or more looks at the same target (its addresses); null when no certificate was seen. */
export function learnBaseline(
  target: string,
  seen: readonly LearnedChain[],
  { now, accepted }: Learning,
): Baseline | null {
  const leaves = distinctCertificates(seen.flatMap(({ chain }) => chain.certificates.slice(0, 1)));
  if (leaves.length === 0) return null;
  const protocols = seen.flatMap(({ protocol }) => protocol ?? []).toSorted();
  return {
    target,
    learnedAt: now,
    leaves: leaves.slice(0, MAX_KEPT),
    authorities: distinctCertificates(seen.flatMap(({ authorities }) => authorities)).slice(0, MAX_KEPT),
    protocol: protocols[0] ?? null,
    accepted,
  };
}

/**
 * How a chain stands to what was learned. `same-leaf`: the leaf's key is known. `same-authority`: another leaf under a
 * known authority's key. `other-authority`: neither.
 */
export type BaselineMatch = 'none' | 'same-leaf' | 'same-authority' | 'other-authority';

/** @param authorities those above the leaf, found by signature */
export function compareBaseline(
  baseline: Baseline | null,
  leaf: Certificate,
  authorities: readonly Certificate[],
): BaselineMatch {
  if (baseline === null) return 'none';
  if (baseline.leaves.some((known) => known.pin === leaf.pin)) return 'same-leaf';
  const known = new Set(baseline.authorities.map((authority) => authority.pin));
  return authorities.some((authority) => known.has(authority.pin)) ? 'same-authority' : 'other-authority';
}

/** What is weaker now than it was when learned: one phrase for each, `key RSA-1024 instead of RSA-2048`. */
export function weakerThan(baseline: Baseline, leaf: Certificate, protocol: string | null): readonly string[] {
  const [weakest] = baseline.leaves.toSorted((left, right) => strengthOf(left) - strengthOf(right));
  if (weakest === undefined) return [];
  const [key, signature] = [weakest.key, weakest.signatureAlgorithm ?? 'unknown'];
  return [
    ...(strengthOf(leaf) < strengthOf(weakest) ? [`key ${leaf.key} instead of ${key}`] : []),
    ...(baseline.leaves.every((known) => hashBits(leaf) < hashBits(known))
      ? [`signature ${leaf.signatureAlgorithm ?? 'unknown'} instead of ${signature}`]
      : []),
    ...olderProtocol(protocol, baseline.protocol),
  ];
}

/** `TLSv1.2` comes before `TLSv1.3` in the alphabet too; SSLv3 is not offered by this program. */
function olderProtocol(seen: string | null, learned: string | null): readonly string[] {
  return seen !== null && learned !== null && seen < learned ? [`protocol ${seen} instead of ${learned}`] : [];
}

function strengthOf(certificate: Certificate): number {
  return keyStrength(certificate.key) ?? 0;
}

/** Digest size of the signature; algorithms that have none of their own (Ed25519) count as 256 bits. */
function hashBits(certificate: Certificate): number {
  const name = certificate.signatureAlgorithm ?? '';
  if (/md5/iu.test(name)) return 128;
  if (/sha-?1(?!\d)/iu.test(name)) return 160;
  return Number(/sha3?-?(224|256|384|512)/iu.exec(name)?.[1] ?? 256);
}
