import {
  type Certificate,
  isInDate,
  formatDistinguishedName,
  isSameName,
  type DistinguishedName,
  shortName,
} from '../core/certificate.ts';
import type { EpochMs } from '../core/clock.ts';
import { children } from '../core/parse-certificate.ts';
import { extensionOf, extensionsOf, isForServers, mayNamesBe } from './extensions.ts';
import { visibleText } from '../core/visible-text.ts';

/** `openssl`: OpenSSL rejects the chain for any other reason. */
export type FlawKind =
  | 'path-length'
  | 'not-for-servers'
  | 'critical-extension'
  | 'name-constraints'
  | 'authority-out-of-date'
  | 'openssl';

/** A reason why TLS clients reject a chain although its signatures lead to a trusted key. */
export interface Flaw {
  readonly kind: FlawKind;
  readonly claim: string;
  readonly fullNames: readonly string[];
}

/**
 * Returns the flaws that do not depend on the time, the keys or the signatures. For each of them, `openssl verify
 * -partial_chain -purpose sslserver` rejects the chain. Revocation is not checked.
 * @param path from the leaf to the trusted certificate
 */
export function lastingFlaws(path: readonly Certificate[]): readonly Flaw[] {
  return RULES.flatMap(({ kind, whatOf }) =>
    path.flatMap((certificate, index) => {
      const what = whatOf(certificate, index, path);
      return what === null ? [] : [flaw(kind, certificate, what)];
    }),
  );
}

type WhatOf = (certificate: Certificate, index: number, path: readonly Certificate[]) => string | null;

const RULES: readonly { readonly kind: FlawKind; readonly whatOf: WhatOf }[] = [
  { kind: 'not-for-servers', whatOf: notForServers },
  { kind: 'critical-extension', whatOf: criticalExtension },
  { kind: 'path-length', whatOf: tooLong },
  { kind: 'name-constraints', whatOf: namesForbidden },
];

const BASIC_CONSTRAINTS = '551d13';
const KEY_USAGE = '551d0f';
const NETSCAPE_TYPE = '6086480186f8420101';
const INTEGER_TAG = 0x02;
const BIT_STRING_TAG = 0x03;

/** digitalSignature, keyEncipherment and keyAgreement (RFC 5280 §4.2.1.3). A TLS server needs at least one of these. */
const TLS_KEY_USAGE = 0x80 | 0x20 | 0x08;
/** The bit "SSL server" in the Netscape certificate type extension. */
const NETSCAPE_SERVER = 0x40;

/** An authority's extended key usage also applies to the certificates below it. */
function notForServers(certificate: Certificate, index: number): string | null {
  const isUsable = isForServers(certificate) && (index > 0 || isUsableByServer(certificate));
  return isUsable ? null : 'is not intended for TLS servers';
}

function isUsableByServer(leaf: Certificate): boolean {
  const [usage, type] = [firstBits(leaf, KEY_USAGE), firstBits(leaf, NETSCAPE_TYPE)];
  return (usage === null || (usage & TLS_KEY_USAGE) !== 0) && (type === null || (type & NETSCAPE_SERVER) !== 0);
}

function firstBits(certificate: Certificate, identifier: string): number | null {
  const bits = children(extensionOf(certificate, identifier)).find(({ tag }) => tag === BIT_STRING_TAG);
  return bits === undefined ? null : (bits.contents[1] ?? 0);
}

/** The list from OpenSSL 3 (`supported_nids`, crypto/x509/v3_purp.c), which rejects any other critical extension. */
const HANDLED: ReadonlySet<string> = new Set([
  NETSCAPE_TYPE,
  KEY_USAGE,
  BASIC_CONSTRAINTS,
  '551d11', // subjectAltName
  '551d20', // certificatePolicies
  '551d1f', // cRLDistributionPoints
  '551d25', // extKeyUsage
  '2b06010505070107', // ipAddrBlocks
  '2b06010505070108', // autonomousSysIds
  '2b0601050507300105', // OCSP noCheck
  '551d24', // policyConstraints
  '2b0601050507010e', // proxyCertInfo
  '551d1e', // nameConstraints
  '551d21', // policyMappings
  '551d36', // inhibitAnyPolicy
]);

function criticalExtension(certificate: Certificate): string | null {
  const isUnknown = extensionsOf(certificate).some(({ identifier, critical }) => critical && !HANDLED.has(identifier));
  return isUnknown ? 'has a critical extension that TLS clients do not support' : null;
}

function tooLong(authority: Certificate, index: number, path: readonly Certificate[]): string | null {
  const limit = index === 0 ? null : pathLength(authority);
  const below = path.slice(1, index).filter((certificate) => !isSelfIssued(certificate)).length;
  if (limit === null || below <= limit) return null;
  return `allows ${String(limit)} authorities below it, but has ${String(below)}`;
}

function pathLength(authority: Certificate): number | null {
  const fields = children(children(extensionOf(authority, BASIC_CONSTRAINTS))[0]?.contents);
  const limit = fields.find(({ tag }) => tag === INTEGER_TAG);
  return limit === undefined ? null : Number(`0x${Buffer.from(limit.contents).toString('hex') || '0'}`);
}

function isSelfIssued({ subject, issuer }: Certificate): boolean {
  return isSameName(subject, issuer);
}

function namesForbidden(authority: Certificate, index: number, path: readonly Certificate[]): string | null {
  const isForbidden = path
    .slice(0, index)
    .some((below, depth) => (depth === 0 || !isSelfIssued(below)) && !mayNamesBe(authority, below, depth === 0));
  return isForbidden ? 'does not allow the names in the certificates below it' : null;
}

/**
 * The dates of the certificates below the trusted one are checked separately, because the local clock could be wrong.
 */
export function endFlaws(path: readonly Certificate[], now: EpochMs): readonly Flaw[] {
  const end = path.length > 1 ? path.at(-1) : undefined;
  if (end === undefined || isInDate(end, now)) return [];
  return [flaw('authority-out-of-date', end, now > end.notAfter ? 'has expired' : 'is not yet valid')];
}

function flaw(kind: FlawKind, { subject }: Certificate, what: string): Flaw {
  return {
    kind,
    claim: `The certificate of ${called(subject)} ${what}.`,
    fullNames: inFull(subject),
  };
}

/** Short enough for two names to fit in a claim. */
const MAX_CALLED = 60;

/** Returns the common name or, if there is none, the organization or unit. */
export function called(name: DistinguishedName): string {
  const short = shortName(name);
  return short === null ? 'an authority without a name' : visibleText(short, MAX_CALLED);
}

export function inFull(...names: readonly DistinguishedName[]): readonly string[] {
  return [...new Set(names.map(formatDistinguishedName))];
}
