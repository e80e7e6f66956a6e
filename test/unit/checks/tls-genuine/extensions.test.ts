import '../../../../src/demo/lab/reflect-metadata.ts';
import {
  AuthorityInfoAccessExtension,
  CRLDistributionPointsExtension,
  ExtendedKeyUsageExtension,
  Extension,
} from '@peculiar/x509';
import { describe, expect, test } from 'vitest';
import { authorityKeyIdentifier, isForServers, locationsOf, maySignFor } from '../../../../src/tls/extensions.ts';
import { createSignatureChecks, findChainTrust } from '../../../../src/tls/chain.ts';
import { createIdentity, type Identity } from '../../../../src/demo/lab/identity.ts';
import { certificateOf, publicRootsOf } from '../../../support/certificates/chains.ts';
import {
  nameConstraints as constraintsOn,
  der,
  dns,
  network,
  organisation,
} from '../../../support/certificates/name-constraints.ts';

const SERVER = '1.3.6.1.5.5.7.3.1';
const CLIENT = '1.3.6.1.5.5.7.3.2';

/** Returns constraints on host names. */
function nameConstraints(permitted: readonly string[], excluded: readonly string[] = []): Extension {
  return constraintsOn(permitted.map(dns), excluded.map(dns));
}

const root = await createIdentity({ name: 'CN=Root', authority: true });
const authorityWith = (...extensions: readonly Extension[]): Promise<Identity> =>
  createIdentity({ name: 'CN=Sub', authority: true, issuer: root, extensions });

describe('maySignFor()', () => {
  test.each([
    { permitted: [], excluded: [], host: 'a.example.org', may: true },
    { permitted: ['example.org'], excluded: [], host: 'a.example.org', may: true },
    { permitted: ['example.org'], excluded: [], host: 'example.org', may: true },
    { permitted: ['.example.org'], excluded: [], host: 'a.example.org', may: true },
    { permitted: ['example.org'], excluded: [], host: 'badexample.org', may: false },
    { permitted: ['example.net', 'example.org'], excluded: [], host: 'a.example.org', may: true },
    { permitted: ['acme.example', 'example.net'], excluded: [], host: 'a.example.org', may: false },
    { permitted: [], excluded: ['example.org'], host: 'a.example.org', may: false },
    { permitted: ['org'], excluded: ['example.org'], host: 'a.example.org', may: false },
    { permitted: [], excluded: [''], host: 'a.example.org', may: false },
  ])('permitted $permitted, excluded $excluded, $host: $may', async ({ permitted, excluded, host, may }) => {
    const authority = certificateOf(
      await authorityWith(...(permitted.length + excluded.length === 0 ? [] : [nameConstraints(permitted, excluded)])),
    );
    expect(maySignFor(authority, host)).toBe(may);
  });
});

test('maySignFor() heeds no limits on other kinds of names', async () => {
  const limited = await authorityWith(constraintsOn([organisation('Acme'), network(10, 0, 0, 0, 255, 0, 0, 0)]));
  expect(maySignFor(certificateOf(limited), 'a.example.org')).toBe(true);
});

describe('locationsOf()', () => {
  const at = async (...urls: readonly string[]): Promise<readonly string[]> =>
    locationsOf(certificateOf(await authorityWith(new CRLDistributionPointsExtension([...urls]))));

  test('gives the addresses of the revocation list and of the issuer', async () => {
    const both = await authorityWith(
      new AuthorityInfoAccessExtension({ caIssuers: ['http://pki.example/ca.crt'] }),
      new CRLDistributionPointsExtension(['http://pki.example/ca.crl']),
    );
    expect(locationsOf(certificateOf(both))).toEqual(['http://pki.example/ca.crl', 'http://pki.example/ca.crt']);
    expect(locationsOf(certificateOf(root))).toEqual([]);
  });

  test('gives 16 at most, each cut', async () => {
    const many = Array.from({ length: 20 }, (_, index) => `http://pki.example/${String(index)}`);
    expect(await at(...many)).toEqual(many.slice(0, 16));
    expect((await at(`http://pki.example/${'x'.repeat(2000)}`))[0]).toHaveLength(1024);
  });

  test('looks no deeper than a distribution point goes', async () => {
    const uri = der(0x86, Buffer.from('http://pki.example/x'));
    const nested = (depth: number): Uint8Array => (depth === 0 ? uri : der(0x30, nested(depth - 1)));
    const found = async (depth: number): Promise<readonly string[]> =>
      locationsOf(certificateOf(await authorityWith(new Extension('2.5.29.31', false, nested(depth)))));
    expect(await found(5)).toEqual(['http://pki.example/x']);
    expect(await found(6)).toEqual([]);
  });
});

test('what cannot be read has no extensions', () => {
  const unreadable = { ...certificateOf(root), der: new Uint8Array([0x30]) };
  expect(authorityKeyIdentifier(unreadable)).toBeNull();
  expect(maySignFor(unreadable, 'a.example.org')).toBe(true);
});

describe('isForServers()', () => {
  test.each([
    { usages: null, is: true },
    { usages: [SERVER], is: true },
    { usages: [CLIENT, SERVER], is: true },
    // Server-gated cryptography, by Netscape and by Microsoft.
    { usages: ['2.16.840.1.113730.4.1'], is: true },
    { usages: ['1.3.6.1.4.1.311.10.3.3'], is: true },
    // anyExtendedKeyUsage.
    { usages: ['2.5.29.37.0'], is: false },
    { usages: [CLIENT], is: false },
  ])('$usages: $is', async ({ usages, is }) => {
    const extensions = usages === null ? [] : [new ExtendedKeyUsageExtension(usages)];
    expect(isForServers(certificateOf(await createIdentity({ name: 'CN=x', extensions })))).toBe(is);
  });
});

describe('authorityKeyIdentifier()', () => {
  test('is the same for what one key signed, and another for another', async () => {
    const [one, two, other] = await Promise.all([
      createIdentity({ name: 'CN=1', issuer: root }),
      createIdentity({ name: 'CN=2', issuer: root }),
      createIdentity({ name: 'CN=3' }),
    ]);
    const of = (identity: Identity): string | null => authorityKeyIdentifier(certificateOf(identity));
    expect(of(one)).toMatch(/^[0-9a-f]{40}$/u);
    expect(of(two)).toBe(of(one));
    expect(of(other)).not.toBe(of(one));
  });
});

describe('findStanding() under public roots', () => {
  test.each([
    { name: 'an authority without limits', constraint: [], usage: [SERVER], kind: 'public' },
    {
      name: 'an authority limited to this domain',
      constraint: [nameConstraints(['example.org'])],
      usage: [SERVER],
      kind: 'public',
    },
    {
      name: 'an authority limited to another domain',
      constraint: [nameConstraints(['acme.example'])],
      usage: [SERVER],
      kind: 'foreign',
    },
    { name: 'a certificate for clients', constraint: [], usage: [CLIENT], kind: 'weak' },
  ])('$name: $kind', async ({ constraint, usage, kind }) => {
    const authority = await authorityWith(...constraint);
    const leaf = await createIdentity({
      name: 'CN=a.example.org',
      dnsNames: ['a.example.org'],
      issuer: authority,
      extensions: [new ExtendedKeyUsageExtension(usage)],
    });
    const standing = findChainTrust([certificateOf(leaf), certificateOf(authority)], {
      profile: 'public',
      trust: { pins: [], anchors: [], publicRoots: publicRootsOf(root) },
      baseline: null,
      helpers: [],
      host: 'a.example.org',
      now: Date.now(),
      checks: createSignatureChecks(),
    });
    expect(standing.kind).toBe(kind);
  });
});
