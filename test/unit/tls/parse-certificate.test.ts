import { createHash, randomBytes, X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createCertificateCache, parseCertificate, parseSubjectAltName } from '../../../src/tls/parse-certificate.ts';
import { certificatePem, chainPem } from '../../../src/tls/pem.ts';
import type { DistinguishedName } from '../../../src/core/certificate.ts';
import { distinguishedNameKey, formatDistinguishedName, parseDistinguishedName } from '../../../src/tls/names.ts';
import { createIdentity } from '../../../src/demo/lab/identity.ts';
import { certificateOf, chainOf, ed25519Keys, withBytes } from '../../support/certificates/chains.ts';
import { samples } from '../../support/random/samples.ts';

const notBefore = new Date('2026-01-02T03:04:05Z');
const notAfter = new Date('2027-01-02T03:04:05Z');
const root = await createIdentity({ name: 'C=US, O=Example, CN=Root', authority: true });
const leaf = await createIdentity({
  name: 'C=US, O=Fortinet\\, Inc., OU=One, OU=Two, CN=a.example, E=x@example.org',
  issuer: root,
  dnsNames: ['a.example', '*.b.example'],
  ipAddresses: ['192.0.2.1', '2001:db8::1'],
  serial: '00ab01',
  notBefore,
  notAfter,
});

function named(...attributes: readonly string[]): DistinguishedName {
  return {
    attributes: attributes.map((text) => ({ type: text.split('=')[0] ?? '', value: text.replace(/^\w+=/u, '') })),
  };
}

describe('parseCertificate()', () => {
  test('reads what a certificate says', () => {
    expect(parseCertificate(leaf.der)).toEqual({
      der: leaf.der,
      fingerprint: leaf.fingerprint,
      pin: leaf.pin,
      subject: named('C=US', 'O=Fortinet, Inc.', 'OU=One', 'OU=Two', 'CN=a.example', 'emailAddress=x@example.org'),
      issuer: named('C=US', 'O=Example', 'CN=Root'),
      serial: 'AB01',
      notBefore: notBefore.getTime(),
      notAfter: notAfter.getTime(),
      isAuthority: false,
      extendedUsages: null,
      dnsNames: ['a.example', '*.b.example'],
      ipAddresses: ['192.0.2.1', '2001:DB8:0:0:0:0:0:1'],
      key: 'EC-P-256',
      signatureAlgorithm: 'ecdsa-with-SHA256',
    });
    expect(certificateOf(root).isAuthority).toBe(true);
  });

  test.each([
    ['EC-P-384', 'ecdsa-with-SHA256'],
    ['RSA-1024', 'sha256WithRSAEncryption'],
    ['RSA-2048', 'sha256WithRSAEncryption'],
  ] as const)('names the key %s', async (key, signatureAlgorithm) => {
    expect(certificateOf(await createIdentity({ name: 'CN=x', key }))).toMatchObject({ key, signatureAlgorithm });
  });

  test('names the key Ed25519', async () => {
    const identity = await createIdentity({ name: 'CN=x', keys: await ed25519Keys() });
    expect(certificateOf(identity)).toMatchObject({ key: 'Ed25519', signatureAlgorithm: 'ED25519' });
  });

  test('pins the bytes of the key that were sent', () => {
    const spki = new X509Certificate(leaf.der).publicKey.export({ type: 'spki', format: 'der' });
    expect(certificateOf(leaf).pin).toBe(`sha256/${createHash('sha256').update(spki).digest('base64')}`);
  });

  test('makes control and turning characters visible, and cuts long values', async () => {
    const identity = await createIdentity({ name: `O=é:QQQQQQQ:, CN=${'y'.repeat(5000)}` });
    const { subject } = certificateOf(withBytes(identity, 'QQQQQQQ', Buffer.from('\u0000\n\u001b,\u202e')));
    expect(formatDistinguishedName(subject)).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(subject.attributes.map(({ type }) => type)).toEqual(['O', 'CN']);
    expect(subject.attributes[0]?.value).toBe('é:\\u{0}\\u{A}\\u{1B},\\u{202E}:');
    expect(subject.attributes[1]?.value).toHaveLength(256);
  });

  test('has no attributes for an empty name', async () => {
    const { subject } = certificateOf(await createIdentity({ name: '' }));
    expect(subject.attributes).toEqual([]);
    expect(formatDistinguishedName(subject)).toBe('(empty name)');
    expect(distinguishedNameKey(subject)).toBe('');
  });

  test.each([
    ['nothing', new Uint8Array()],
    ['garbage', new Uint8Array(randomBytes(500))],
    ['PEM', new Uint8Array(Buffer.from(leaf.pem))],
    ['bytes behind the end', new Uint8Array([...leaf.der, 0])],
    ['a certificate that is cut off', leaf.der.subarray(0, leaf.der.length - 1)],
    ['more than 128 KiB', new Uint8Array(128 * 1024 + 1).fill(0x30)],
  ])('is null for %s', (_, der) => {
    expect(parseCertificate(der)).toBeNull();
  });

  test('never throws, whatever byte is changed', () => {
    fc.assert(
      fc.property(fc.nat(leaf.der.length - 1), fc.nat(255), (at, byte) => {
        const der = leaf.der.slice();
        der[at] = byte;
        const parsed = parseCertificate(der);
        expect(parsed === null || parsed.fingerprint.length === 95).toBe(true);
      }),
      { numRuns: samples(100) },
    );
  });
});

describe('parseDistinguishedName()', () => {
  test.each([
    ['CN=a + O=b', ['CN=a', 'O=b']],
    ['CN=a \\+ b', ['CN=a + b']],
    ['O=Foo\\, Inc.\nCN=\\ x', ['O=Foo, Inc.', 'CN= x']],
    ['CN==', ['CN==']],
    ['no equals sign', []],
    ['CN=a\\0AO\\=b', ['CN=a\\u{A}O=b']],
  ])('reads %j', (text, expected) => {
    expect(parseDistinguishedName(text).attributes.map(({ type, value }) => `${type}=${value}`)).toEqual(expected);
  });

  test('keeps at most 64 attributes', () => {
    const text = Array.from({ length: 500 }, (_, index) => `OU=${String(index)}`).join('\n');
    expect(parseDistinguishedName(text).attributes).toHaveLength(64);
  });
});

describe('parseSubjectAltName()', () => {
  test.each([
    [undefined, [], []],
    ['DNS:a.example, DNS:b.example', ['a.example', 'b.example'], []],
    ['IP Address:192.0.2.1, email:a@b, URI:http://x/', [], ['192.0.2.1']],
    // As Node prints a name that contains the separator.
    ['DNS:"a.example\\u002c DNS:evil.example", DNS:b.example', ['a.example, DNS:evil.example', 'b.example'], []],
    ['DNS:"unterminated, DNS:b.example', ['b.example'], []],
    ['DNS:', [''], []],
  ])('reads %j', (text, dnsNames, ipAddresses) => {
    const parsed = parseSubjectAltName(text);
    expect(parsed.ipAddresses).toEqual(ipAddresses);
    expect(parsed.dnsNames).toEqual(expect.arrayContaining(dnsNames));
  });

  test('keeps at most 1000 names', () => {
    expect(parseSubjectAltName(Array.from({ length: 3000 }, () => 'DNS:a').join(', ')).dnsNames).toHaveLength(1000);
  });
});

describe('createCertificateCache()', () => {
  test('gives the very same certificate again, garbage too', () => {
    const cache = createCertificateCache(4);
    expect(cache.parse(leaf.der)).toBe(cache.parse(leaf.der.slice()));
    expect(cache.parse(new Uint8Array([1]))).toBeNull();
  });

  test('forgets what was not used for longest', () => {
    const cache = createCertificateCache(2);
    const first = cache.parse(leaf.der);
    const second = cache.parse(root.der);
    expect(cache.parse(leaf.der)).toBe(first);
    cache.parse(new Uint8Array([1]));
    expect(cache.parse(leaf.der)).toBe(first);
    expect(cache.parse(root.der)).not.toBe(second);
  });
});

describe('certificatePem()', () => {
  test('is what OpenSSL reads', () => {
    expect(new X509Certificate(certificatePem(certificateOf(leaf))).fingerprint256).toBe(leaf.fingerprint);
  });

  test('stands in a chain under lines that say whose it is', () => {
    const text = chainPem(chainOf(leaf, root));
    expect(text).toContain('0 subject: C=US, O=Fortinet, Inc.');
    expect(text).toContain(root.fingerprint);
    expect(text.match(/-----BEGIN CERTIFICATE-----/gu)).toHaveLength(2);
  });
});
