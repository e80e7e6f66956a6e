import type { Certificate } from '../../core/certificate.ts';

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
