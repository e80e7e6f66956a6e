import './reflect-metadata.ts';
import type { Millis } from '../../core/clock.ts';
import { systemClock } from '../../system/clock.ts';
import { createHash, webcrypto } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import type { Extension, JsonGeneralName, X509Certificate } from '@peculiar/x509';

type Keys = webcrypto.CryptoKeyPair;

export type KeyKind = 'EC-P-256' | 'EC-P-384' | 'RSA-1024' | 'RSA-2048';

/** A certificate with its key. It can serve (`keyPem`, `chainPem`) and sign (`issue`). */
export interface Identity {
  /** For example `C=US, O=Fortinet, CN=fortinet-ca2`. */
  readonly name: string;
  readonly der: Uint8Array;
  readonly pem: string;
  readonly keyPem: string;
  /** SHA-256, colon-separated upper-case hex, as in core's `Certificate`. */
  readonly fingerprint: string;
  /** `sha256/…`, as in core's `Certificate`. */
  readonly pin: string;
  readonly keys: Keys;
  /** null: self-signed. */
  readonly issuer: Identity | null;
}

export interface IdentityOptions {
  /**
   * Distinguished name, most significant attribute first: `C=US, O=Fortinet, OU=FortiGate, CN=FG…,
   * E=support@fortinet.com`.
   */
  readonly name: string;
  /** Default: self-signed. */
  readonly issuer?: Identity;
  /** basicConstraints CA:TRUE. @default false */
  readonly authority?: boolean;
  /** @default none, without a subjectAltName extension */
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  /** @default a day ago */
  readonly notBefore?: Date;
  /** @default in a year */
  readonly notAfter?: Date;
  /** Hexadecimal. @default random */
  readonly serial?: string;
  /** @default EC-P-256, which is the fastest to generate */
  readonly key?: KeyKind;
  /** Maximum number of authorities below this one. @default unlimited */
  readonly pathLength?: number;
  /** @default keyCertSign and cRLSign for an authority, otherwise digitalSignature */
  readonly keyUsages?: KeyUsageFlags;
  /** In addition to those of every certificate here. */
  readonly extensions?: readonly Extension[];
  /** Reuses the keys of another identity, for a renewed certificate or a re-signed copy. */
  readonly keys?: Keys;
}

const DAY: Millis = 24 * 60 * 60 * 1000;

/**
 * Creates a root (`authority: true`, no issuer), an intermediate, a leaf or a self-signed certificate. Takes about 5
 * ms.
 */
export async function createIdentity(options: IdentityOptions): Promise<Identity> {
  const keys = options.keys ?? (await createKeys(options.key ?? 'EC-P-256'));
  const signer = options.issuer?.keys ?? keys;
  const certificate = await sign(options, keys, signer);
  const der = new Uint8Array(certificate.rawData);
  return {
    name: options.name,
    der,
    pem: `${certificate.toString('pem')}\n`,
    keyPem: await privatePem(keys),
    fingerprint: fingerprintOf(der),
    pin: `sha256/${createHash('sha256').update(new Uint8Array(certificate.publicKey.rawData)).digest('base64')}`,
    keys,
    issuer: options.issuer ?? null,
  };
}

/**
 * Returns the PEM of several certificates in the order in which a server sends them, for the `cert` option of a TLS
 * server.
 */
export function chainPem(...identities: readonly Identity[]): string {
  return identities.map((identity) => identity.pem).join('');
}

/** Returns a leaf and the authorities below the root, as a server sends them. */
export function servedChain(leaf: Identity): readonly Identity[] {
  const chain = [leaf];
  for (let issuer = leaf.issuer; issuer !== null && issuer.issuer !== null; issuer = issuer.issuer) chain.push(issuer);
  return chain;
}

/** Returns what a TLS server needs, as PEM. */
export function credentialsOf(leaf: Identity): { readonly cert: string; readonly key: string } {
  return { cert: chainPem(...servedChain(leaf)), key: leaf.keyPem };
}

async function sign(options: IdentityOptions, keys: Keys, signer: Keys): Promise<X509Certificate> {
  const now = systemClock.now();
  return X509CertificateGenerator.create(
    {
      subject: options.name,
      issuer: options.issuer?.name ?? options.name,
      notBefore: options.notBefore ?? new Date(now - DAY),
      notAfter: options.notAfter ?? new Date(now + 365 * DAY),
      ...(options.serial === undefined ? {} : { serialNumber: options.serial }),
      publicKey: keys.publicKey,
      signingKey: signer.privateKey,
      signingAlgorithm: { ...signer.privateKey.algorithm, hash: 'SHA-256' },
      extensions: await extensionsOf(options, keys, signer),
    },
    webcrypto,
  );
}

async function extensionsOf(options: IdentityOptions, keys: Keys, signer: Keys): Promise<Extension[]> {
  const authority = options.authority ?? false;
  const names: readonly JsonGeneralName[] = [
    ...(options.dnsNames ?? []).map((value) => ({ type: 'dns', value }) as const),
    ...(options.ipAddresses ?? []).map((value) => ({ type: 'ip', value }) as const),
  ];
  return [
    new BasicConstraintsExtension(authority, options.pathLength, true),
    new KeyUsagesExtension(
      options.keyUsages ??
        (authority ? KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign : KeyUsageFlags.digitalSignature),
      true,
    ),
    await SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
    await AuthorityKeyIdentifierExtension.create(signer.publicKey, false, webcrypto),
    ...(names.length === 0 ? [] : [new SubjectAlternativeNameExtension([...names])]),
    ...(options.extensions ?? []),
  ];
}

async function createKeys(kind: KeyKind): Promise<Keys> {
  const usages: webcrypto.KeyUsage[] = ['sign', 'verify'];
  switch (kind) {
    case 'EC-P-256':
    case 'EC-P-384':
      return webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: kind.slice('EC-'.length) }, true, usages);
    case 'RSA-1024':
    case 'RSA-2048':
      return webcrypto.subtle.generateKey(
        {
          name: 'RSASSA-PKCS1-v1_5',
          hash: 'SHA-256',
          modulusLength: Number(kind.slice('RSA-'.length)),
          publicExponent: new Uint8Array([1, 0, 1]),
        },
        true,
        usages,
      );
  }
}

async function privatePem(keys: Keys): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  const lines = der.toString('base64').match(/.{1,64}/gu) ?? [];
  return `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`;
}

function fingerprintOf(der: Uint8Array): string {
  const hex = createHash('sha256').update(der).digest('hex').toUpperCase();
  return (hex.match(/../gu) ?? []).join(':');
}
