import {
  type Certificate,
  type DistinguishedName,
  type CapturedChain,
  distinctCertificates,
} from '../core/certificate.ts';
import { oncePer } from '../core/once-per.ts';
import type { EpochMs } from '../core/clock.ts';
import type { PageProduct, TextPattern } from '../core/block-page.ts';

/**
 * Whom a target's certificate may come from: Fortinet's private authorities, any of Mozilla's roots, or only what is
 * configured.
 */
export type TrustProfile = 'fortinet' | 'public' | 'pinned';

/** `shipped` keys are Fortinet's and count only under the profile `fortinet`; `configured` ones under every profile. */
export type TrustOrigin = 'shipped' | 'configured';

/** The hash of a trusted key. It confirms a certificate that was sent, never for one that was not. */
export interface TrustedPin {
  /** `sha256/` and the base64 SHA-256 of the SubjectPublicKeyInfo. */
  readonly pin: string;
  /** Says to a person whose key it is, and where it was taken from. */
  readonly label: string;
  readonly origin: TrustOrigin;
  /** The name that the key is known to carry; null when only the hash is known. */
  readonly name: DistinguishedName | null;
}

/** A certificate to verify under: unlike a pin it confirms what it signed even when it is not sent. */
export interface TrustAnchor {
  readonly certificate: Certificate;
  readonly label: string;
  readonly origin: TrustOrigin;
}

/** Mozilla's roots. Read one by one when they are asked for: parsing all of them at every start would be wasted. */
export interface PublicRoots {
  /** Those with this subject; a name may belong to more than one key. */
  bySubject(name: DistinguishedName): readonly Certificate[];
  /** Whether a public authority, or one below it, has this organization; in the form of `organizationKey`. */
  hasOrganization(organization: string): boolean;
}

export interface Trust {
  readonly pins: readonly TrustedPin[];
  readonly anchors: readonly TrustAnchor[];
  readonly publicRoots: PublicRoots;
}

/** What of the configured trust counts for this profile. */
export function trustUnder(profile: TrustProfile, trust: Trust): Trust {
  return profile === 'fortinet' ? trust : configuredPart(trust);
}

const configuredPart = oncePer(
  ({ pins, anchors, publicRoots }: Trust): Trust => ({
    pins: pins.filter(({ origin }) => origin === 'configured'),
    anchors: anchors.filter(({ origin }) => origin === 'configured'),
    publicRoots,
  }),
);

/** In whose words a configured key is confirmed under this profile; null when it is not (any more). */
export function labelOfKey(pin: string, profile: TrustProfile, trust: Trust): string | null {
  const { pins, anchors } = trustUnder(profile, trust);
  const anchor = anchors.find(({ certificate }) => certificate.pin === pin);
  return anchor?.label ?? pins.find((candidate) => candidate.pin === pin)?.label ?? null;
}

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
interface LearnedChain {
  readonly chain: CapturedChain;
  /** The authorities above the leaf, found by signature: `TlsJudgement.authorities`. */
  readonly authorities: readonly Certificate[];
  readonly protocol: string | null;
}

const MAX_KEPT = 32;

/** By whom and when a chain is learned. */
interface Learning {
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

/**
 * Signatures that nobody can forge today: SHA-2 and SHA-3 with RSA or ECDSA, EdDSA, ML-DSA. A list of the good ones: an
 * algorithm that is not known here is not trusted. MD5 has been forged (2008, a working authority), SHA-1 too (2020,
 * chosen prefix).
 */
const STRONG_SIGNATURE =
  /^(?:(?:sha(?:224|256|384|512)With|RSA-SHA3-(?:256|384|512)|rsassaPss-SHA(?:256|384|512))(?:RSAEncryption)?|ecdsa-with-SHA(?:224|256|384|512)|ecdsa_with_SHA3-(?:256|384|512)|ED25519|ED448|ML-DSA-(?:44|65|87))$/u;

/**
 * Keys that this program takes a signature from at all: a verification with a larger RSA key can be made to take very
 * long.
 */
const MAX_RSA_BITS = 8192;
const MIN_RSA_BITS = 2048;

/**
 * Security of a key in bits (NIST SP 800-57 part 1, table 2); null when the key is of no kind that a chain may be built
 * on.
 *
 * @param key as in `Certificate.key`
 */
export function keyStrength(key: string): number | null {
  const [, kind = '', size = ''] = /^(RSA|RSA-PSS|EC)-(?:P-|brainpoolP)?(\d+)/u.exec(key) ?? [];
  const bits = Number(size);
  if (key === 'Ed25519') return 128;
  if (key === 'Ed448') return 224;
  if (kind === 'EC') return bits / 2;
  if (kind.startsWith('RSA')) return rsaStrength(bits);
  return /^ml-dsa-(?:44|65|87)$/u.test(key) ? 128 : null;
}

function rsaStrength(bits: number): number | null {
  if (bits > MAX_RSA_BITS) return null;
  if (bits >= 7680) return 192;
  if (bits >= 3072) return 128;
  if (bits >= MIN_RSA_BITS) return 112;
  return bits >= 1024 ? 80 : 40;
}

/** Whether a chain may rest on this key: RSA of 2048 to 8192 bits, elliptic curves of 224 bits and more. */
export function isStrongKey(key: string): boolean {
  return (keyStrength(key) ?? 0) >= 112;
}

/** Whether the signature on this certificate proves anything. */
export function hasStrongSignature(certificate: Certificate): boolean {
  return certificate.signatureAlgorithm !== null && STRONG_SIGNATURE.test(certificate.signatureAlgorithm);
}

/**
 * An inspection product and how its authorities name themselves. It names the product; it never proves anything by
 * itself.
 */
export interface ProductPattern extends PageProduct {
  readonly id: string;
  /** Any of these. */
  readonly issuers: readonly IssuerPattern[];
}

/** All of these: each attribute type must have a value that its (anchored) pattern matches. */
export type IssuerPattern = readonly { readonly type: string; readonly pattern: Pick<TextPattern, 'test'> }[];

/** The first product of the catalogue that this name belongs to. */
export function findProduct(products: readonly ProductPattern[], name: DistinguishedName): ProductPattern | null {
  return productsByName(products)(name);
}

const productsByName = oncePer((products: readonly ProductPattern[]) =>
  oncePer(
    (name: DistinguishedName): ProductPattern | null =>
      products.find(({ issuers }) => issuers.some((issuer) => matchesIssuer(issuer, name))) ?? null,
  ),
);

function matchesIssuer(issuer: IssuerPattern, name: DistinguishedName): boolean {
  return issuer.every(({ type, pattern }) =>
    name.attributes.some((attribute) => attribute.type === type && pattern.test(attribute.value)),
  );
}

/**
 * Legal forms at the end of a company's name: one company writes them in several ways, `DigiCert Inc` and `DigiCert,
 * Inc.`.
 */
const LEGAL_FORM = / (?:inc|llc|ltd|limited|corp|corporation|gmbh|ag|as|sa|sas|nv-sa|co|kft)$/u;

/** The same for the ways in which one organization writes its name. */
export function organizationKey(name: string): string {
  const plain = name.toLowerCase().replaceAll(/[.,]/gu, '').replaceAll(/\s+/gu, ' ').trim();
  return plain.replace(LEGAL_FORM, '').replace(LEGAL_FORM, '');
}
