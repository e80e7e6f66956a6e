import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, webcrypto } from 'node:crypto';
import type { CapturedChain, Certificate } from '../../../src/core/certificate.ts';
import { attributeValues, distinguishedNameKey } from '../../../src/tls/names.ts';
import { organizationKey, type Trust, type TrustAnchor, type TrustedPin } from '../../../src/tls/trust.ts';
import type { TlsOutcome } from '../../../src/core/observation.ts';
import { parseCertificate } from '../../../src/tls/parse-certificate.ts';
import type { Identity } from '../../../src/demo/lab/identity.ts';

type TrustOrigin = TrustAnchor['origin'];

/** Returns the product's view of an identity's certificate. */
export function certificateOf({ der }: Pick<Identity, 'der'>): Certificate {
  const certificate = parseCertificate(der);
  if (certificate === null) throw new Error('Cannot use a certificate of the test: it does not parse');
  return certificate;
}

export function chainOf(...identities: readonly Pick<Identity, 'der'>[]): CapturedChain {
  return { certificates: identities.map(certificateOf), dropped: 0 };
}

type Handshake = Exclude<TlsOutcome, { readonly kind: 'failed' }>;

/** Returns a handshake in which these certificates were presented; completed unless specified otherwise. */
export function handshake(over: Partial<Handshake>, ...identities: readonly Pick<Identity, 'der'>[]): TlsOutcome {
  return {
    kind: 'established',
    serverName: 'license.example.test',
    chain: chainOf(...identities),
    protocol: 'TLSv1.3',
    cipher: 'TLS_AES_256_GCM_SHA384',
    durationMs: 40,
    ...over,
  };
}

export function established(...identities: readonly Pick<Identity, 'der'>[]): TlsOutcome {
  return handshake({}, ...identities);
}

export type FailedOutcome = Extract<TlsOutcome, { readonly kind: 'failed' }>;

export function failed(over: Partial<FailedOutcome>): TlsOutcome {
  return {
    kind: 'failed',
    reason: 'reset',
    message: 'read ECONNRESET',
    durationMs: 40,
    serverName: 'license.example.test',
    alert: null,
    chain: null,
    plaintext: null,
    ...over,
  };
}

export function pinOf(identity: Identity, origin: TrustOrigin = 'shipped'): TrustedPin {
  const { pin, subject } = certificateOf(identity);
  return { pin, label: identity.name, origin, name: origin === 'shipped' ? subject : null };
}

export function anchorOf(identity: Identity, origin: TrustOrigin = 'shipped'): TrustAnchor {
  return { certificate: certificateOf(identity), label: identity.name, origin };
}

/** Returns a replacement for Mozilla's roots. */
export function publicRootsOf(...identities: readonly Identity[]): Trust['publicRoots'] {
  const roots = identities.map(certificateOf);
  return {
    bySubject: (name) => roots.filter((root) => distinguishedNameKey(root.subject) === distinguishedNameKey(name)),
    hasOrganization: (organization) =>
      roots.some(({ subject }) => attributeValues(subject, 'O').some((name) => organizationKey(name) === organization)),
  };
}

/** The last bytes of the object identifiers sha256-, sha1- and md5WithRSAEncryption (1.2.840.113549.1.1.11, .5, .4). */
const RSA_SIGNATURES = { sha1: 0x05, md5: 0x04 } as const;
const SHA256_WITH_RSA = Buffer.from('2a864886f70d01010b', 'hex');

/** Returns the certificate signed again by an RSA key with an outdated hash, which no library supports any more. */
export function withWeakSignature(
  identity: Identity,
  signerKeyPem: string,
  hash: keyof typeof RSA_SIGNATURES,
): Pick<Identity, 'der'> {
  const der = Buffer.from(identity.der);
  for (let at = der.indexOf(SHA256_WITH_RSA); at !== -1; at = der.indexOf(SHA256_WITH_RSA, at + 1)) {
    der[at + SHA256_WITH_RSA.length - 1] = RSA_SIGNATURES[hash];
  }
  // SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue }, each with a two-byte length for these sizes
  const tbs = der.subarray(4, 4 + 4 + der.readUInt16BE(6));
  const signature = sign(hash, tbs, createPrivateKey(signerKeyPem));
  signature.copy(der, der.length - signature.length);
  return { der: new Uint8Array(der) };
}

/**
 * Returns the certificate with other bytes of the same length in its name, which no library allows. The signature
 * becomes invalid.
 *
 * @param placeholder ASCII text in the name
 */
export function withBytes({ der }: Pick<Identity, 'der'>, placeholder: string, bytes: Buffer): Pick<Identity, 'der'> {
  const changed = Buffer.from(der);
  if (bytes.length !== placeholder.length) throw new Error(`Cannot replace "${placeholder}": expected as many bytes`);
  for (let at = changed.indexOf(placeholder); at !== -1; at = changed.indexOf(placeholder)) bytes.copy(changed, at);
  return { der: new Uint8Array(changed) };
}

const RSA = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };

/** Generates keys of a size that web cryptography does not support. */
export function smallRsaKeys(bits: number): Promise<webcrypto.CryptoKeyPair> {
  return importKeys(generateKeyPairSync('rsa', { modulusLength: bits }), RSA);
}

/** Generates RSA keys whose public exponent is as long as the modulus, as no real key has. */
export function longExponentKeys(bits: number): Promise<webcrypto.CryptoKeyPair> {
  const key = generateKeyPairSync('rsa', { modulusLength: bits }).privateKey.export({ format: 'jwk' });
  const [p, q] = [numberOf(key.p), numberOf(key.q)];
  // The exponent -1 is its own inverse, so the public and the private exponent are the same.
  const exponent = base64Of((p - 1n) * (q - 1n) - 1n);
  const crt = { dp: base64Of(p - 2n), dq: base64Of(q - 2n) };
  const privateKey = createPrivateKey({ format: 'jwk', key: { ...key, ...crt, e: exponent, d: exponent } });
  return importKeys({ publicKey: createPublicKey(privateKey), privateKey }, RSA);
}

function numberOf(base64: string | undefined): bigint {
  return BigInt(`0x${Buffer.from(base64 ?? '', 'base64url').toString('hex')}`);
}

function base64Of(value: bigint): string {
  const hex = value.toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex').toString('base64url');
}

export function ed25519Keys(): Promise<webcrypto.CryptoKeyPair> {
  return importKeys(generateKeyPairSync('ed25519'), { name: 'Ed25519' });
}

async function importKeys(
  { publicKey, privateKey }: { readonly publicKey: KeyObject; readonly privateKey: KeyObject },
  algorithm: { readonly name: string; readonly hash?: string },
): Promise<webcrypto.CryptoKeyPair> {
  const [spki, pkcs8] = [
    publicKey.export({ type: 'spki', format: 'der' }),
    privateKey.export({ type: 'pkcs8', format: 'der' }),
  ];
  return {
    publicKey: await webcrypto.subtle.importKey('spki', spki, algorithm, true, ['verify']),
    privateKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, true, ['sign']),
  };
}
