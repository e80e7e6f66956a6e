import '../../../support/reflect-metadata.ts';
import { ExtendedKeyUsageExtension, Extension } from '@peculiar/x509';
import { describe, expect, test } from 'vitest';
import { authorityKeyIdentifier, isForServers, maySignFor } from '../../../../src/checks/tls-genuine/extensions.ts';
import { createSignatureChecks } from '../../../../src/checks/tls-genuine/signature-checks.ts';
import { findStanding } from '../../../../src/checks/tls-genuine/standing.ts';
import { createIdentity, type Identity } from '../../../support/authority.ts';
import { certificateOf, publicRootsOf } from '../../../support/chains.ts';

const SERVER = '1.3.6.1.5.5.7.3.1';
const CLIENT = '1.3.6.1.5.5.7.3.2';

/** A DER element of less than 128 bytes. */
function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const contents = Buffer.concat(parts);
  return new Uint8Array([tag, contents.length, ...contents]);
}

/** NameConstraints (RFC 5280 §4.2.1.10) over dNSName subtrees. */
function nameConstraints(permitted: readonly string[], excluded: readonly string[] = []): Extension {
  const subtrees = (names: readonly string[]): readonly Uint8Array[] =>
    names.map((name) => der(0x30, der(0x82, Buffer.from(name))));
  const lists = [
    ...(permitted.length === 0 ? [] : [der(0xa0, ...subtrees(permitted))]),
    ...(excluded.length === 0 ? [] : [der(0xa1, ...subtrees(excluded))]),
  ];
  return new Extension('2.5.29.30', true, der(0x30, ...lists));
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

describe('isForServers()', () => {
  test.each([
    { usages: null, is: true },
    { usages: [SERVER], is: true },
    { usages: [CLIENT, SERVER], is: true },
    { usages: ['2.5.29.37.0'], is: true },
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
    const standing = findStanding([certificateOf(leaf), certificateOf(authority)], {
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
