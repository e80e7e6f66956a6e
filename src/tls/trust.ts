import type { Certificate, DistinguishedName, CapturedChain } from '../core/certificate.ts';
import { distinctCertificates } from './sent-chain.ts';
import { oncePer } from '../core/once-per.ts';
import type { EpochMs } from '../core/clock.ts';
import type { PageProduct, TextPattern } from '../core/block-page.ts';

/** `fortinet`: Fortinet's private authorities. `public`: Mozilla's roots. `pinned`: only configured authorities. */
export type TrustProfile = 'fortinet' | 'public' | 'pinned';

/** `shipped` keys belong to Fortinet and are used only in the profile `fortinet`. */
type TrustOrigin = 'shipped' | 'configured';

/** A hash can confirm only certificates that the peer sends. */
export interface TrustedPin {
  /** `sha256/` and the base64 SHA-256 hash of the SubjectPublicKeyInfo. */
  readonly pin: string;
  readonly label: string;
  readonly origin: TrustOrigin;
  /** Null if only the hash is known. */
  readonly name: DistinguishedName | null;
}

/** Unlike a pin, an anchor can confirm the certificates that it signed even if the peer did not send it. */
export interface TrustAnchor {
  readonly certificate: Certificate;
  readonly label: string;
  readonly origin: TrustOrigin;
}

/** Roots are parsed on demand, because only a few of them are needed. */
export interface PublicRoots {
  /** Several roots can have the same name but different keys. */
  bySubject(name: DistinguishedName): readonly Certificate[];
  /** Intermediate authorities are included. `organization` has the format of `organizationKey`. */
  hasOrganization(organization: string): boolean;
}

export interface Trust {
  readonly pins: readonly TrustedPin[];
  readonly anchors: readonly TrustAnchor[];
  readonly publicRoots: PublicRoots;
}

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

/** Certificates that a target presented on a network path that a person confirmed to be clean. */
export interface Baseline {
  readonly target: string;
  readonly learnedAt: EpochMs;
  /** Each node behind the name may have a different leaf certificate. */
  readonly leaves: readonly Certificate[];
  /** Authorities above the leaf certificates. Each was sent by the target or is trusted anyway. */
  readonly authorities: readonly Certificate[];
  /** Lowest TLS version that was negotiated during learning. */
  readonly protocol: string | null;
  /** Fingerprints that a person entered to confirm certificates that nothing else confirms. */
  readonly accepted: readonly string[];
}

/**
 * A certificate that other networks receive as well. Only this certificate is trusted, not its key, so its successor
 * has to be compared again.
 */
export interface PinnedCertificate {
  /** SHA-256, as in {@link Certificate}. */
  readonly fingerprint: string;
  readonly learnedAt: EpochMs;
  /** For example `5 other networks (DE, US)`. */
  readonly seenBy: string;
}

/**
 * The trust store of a client that trusts the same keys. Keys that are known only by their hash are not included.
 */
export function trustedCertificates({
  profile,
  trust,
  baseline,
}: {
  readonly profile: TrustProfile;
  readonly trust: Trust;
  readonly baseline: Baseline | null;
}): readonly Certificate[] {
  const anchors = trustUnder(profile, trust).anchors.map(({ certificate }) => certificate);
  return distinctCertificates([...anchors, ...(baseline?.leaves ?? []), ...(baseline?.authorities ?? [])]);
}

interface LearnedChain {
  readonly chain: CapturedChain;
  /** Found by verifying signatures, not merely sent. */
  readonly authorities: readonly Certificate[];
  readonly protocol: string | null;
}

const MAX_KEPT = 32;

export function learnBaseline(
  target: string,
  seen: readonly LearnedChain[],
  { now, accepted }: { readonly now: EpochMs; readonly accepted: readonly string[] },
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

/** `same-leaf`: the leaf's key is known. `same-authority`: the leaf is new, but a known authority's key signed it. */
export type BaselineMatch = 'none' | 'same-leaf' | 'same-authority' | 'other-authority';

/** @param authorities the authorities above the leaf that were found by verifying signatures */
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

/** Returns texts such as `key RSA-1024 instead of RSA-2048`. */
export function weakerThan(baseline: Baseline, leaf: Certificate, protocol: string | null): readonly string[] {
  const [weakest] = baseline.leaves.toSorted((left, right) => strengthOf(left) - strengthOf(right));
  if (weakest === undefined) return [];
  const [key, signature] = [weakest.key, weakest.signatureAlgorithm ?? 'unknown'];
  return [
    ...(strengthOf(leaf) < strengthOf(weakest) ? [`key ${leaf.key} instead of ${key}`] : []),
    ...(baseline.leaves.every((known) => hashBits(leaf) < hashBits(known))
      ? [`signature ${leaf.signatureAlgorithm ?? 'unknown'} instead of ${signature}`]
      : []),
    // Versions are compared alphabetically, which works for TLSv1 to TLSv1.3. ftm-watch does not offer SSLv3.
    ...(protocol !== null && baseline.protocol !== null && protocol < baseline.protocol
      ? [`protocol ${protocol} instead of ${baseline.protocol}`]
      : []),
  ];
}

function strengthOf(certificate: Certificate): number {
  return keyStrength(certificate.key) ?? 0;
}

/** Algorithms without a separate digest (Ed25519) count as 256 bits. */
function hashBits(certificate: Certificate): number {
  const name = certificate.signatureAlgorithm ?? '';
  if (/md5/iu.test(name)) return 128;
  if (/sha-?1(?!\d)/iu.test(name)) return 160;
  return Number(/sha3?-?(224|256|384|512)/iu.exec(name)?.[1] ?? 256);
}

/**
 * SHA-2 and SHA-3 with RSA or ECDSA, EdDSA, and ML-DSA. All other algorithms, including unknown ones, count as weak.
 * Both MD5 and SHA-1 signatures have been forged (MD5 in 2008, with a working authority; SHA-1 in 2020, with a chosen
 * prefix).
 */
const STRONG_SIGNATURE =
  /^(?:(?:sha(?:224|256|384|512)With|RSA-SHA3-(?:256|384|512)|rsassaPss-SHA(?:256|384|512))(?:RSAEncryption)?|ecdsa-with-SHA(?:224|256|384|512)|ecdsa_with_SHA3-(?:256|384|512)|ED25519|ED448|ML-DSA-(?:44|65|87))$/u;

/** A peer could send a larger key to make verification very slow. */
const MAX_RSA_BITS = 8192;
const MIN_RSA_BITS = 2048;

/**
 * Security strength in bits (NIST SP 800-57 part 1, table 2). Null if chains must not depend on keys of this type, or
 * if verifying their signatures takes too long.
 */
export function keyStrength(key: string): number | null {
  const [, kind = '', size = ''] = /^(RSA|RSA-PSS|EC)-(?:P-|brainpoolP)?(\d+)(?:[rt]1)?$/u.exec(key) ?? [];
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

/** RSA keys must be 2048 to 8192 bits long, and elliptic curves must have at least 224 bits. */
export function isStrongKey(key: string): boolean {
  return (keyStrength(key) ?? 0) >= 112;
}

export function hasStrongSignature(certificate: Certificate): boolean {
  return certificate.signatureAlgorithm !== null && STRONG_SIGNATURE.test(certificate.signatureAlgorithm);
}

/** A match identifies the product but is not proof of inspection. */
export interface ProductPattern extends PageProduct {
  readonly id: string;
  /** A single match is sufficient. */
  readonly issuers: readonly IssuerPattern[];
}

/** All patterns must match. For each attribute type, at least one value must match the anchored pattern. */
export type IssuerPattern = readonly { readonly type: string; readonly pattern: Pick<TextPattern, 'test'> }[];

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

/** A company's legal form can be written in several ways, for example `DigiCert Inc` and `DigiCert, Inc.`. */
const LEGAL_FORM = / (?:inc|llc|ltd|limited|corp|corporation|gmbh|ag|as|sa|sas|nv-sa|co|kft)$/u;

/** Different spellings of the same name have the same key. */
export function organizationKey(name: string): string {
  const plain = name.toLowerCase().replaceAll(/[.,]/gu, '').replaceAll(/\s+/gu, ' ').trim();
  return plain.replace(LEGAL_FORM, '').replace(LEGAL_FORM, '');
}
