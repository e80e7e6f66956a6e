import { describe, expect, test } from 'vitest';
import type { Certificate } from '../../../../src/core/certificate.ts';
import {
  compareBaseline,
  findProduct,
  learnBaseline,
  organizationKey,
  type ProductPattern,
  type TrustProfile,
  trustUnder,
  weakerThan,
} from '../../../../src/tls/trust.ts';
import { createHierarchy } from '../../../support/certificates/hierarchy.ts';
import { createIdentity } from '../../../../src/demo/lab/identity.ts';
import { anchorOf, certificateOf, chainOf, pinOf, publicRootsOf } from '../../../support/certificates/chains.ts';

const { root, intermediate, leaf } = await createHierarchy();
const chain = chainOf(leaf, intermediate);
const authorities = [intermediate, root].map(certificateOf);
const known = {
  target: 'a:443',
  learnedAt: 5,
  leaves: [certificateOf(leaf)],
  authorities,
  protocol: 'TLSv1.3',
  accepted: [],
} as const;
const stranger = certificateOf(await createIdentity({ name: 'CN=Stranger', authority: true }));
const another = certificateOf(await createIdentity({ name: 'CN=Other', issuer: intermediate }));

describe('learnBaseline()', () => {
  const learn = (seen: Parameters<typeof learnBaseline>[1]) => learnBaseline('a:443', seen, { now: 5, accepted: [] });
  const nothing = { chain: chainOf(), authorities: [], protocol: null };

  test('keeps each certificate once and the lowest protocol', () => {
    const seen = { chain, authorities, protocol: 'TLSv1.3' };
    expect(learn([seen, { ...seen, protocol: 'TLSv1.2' }, nothing])).toEqual({ ...known, protocol: 'TLSv1.2' });
  });

  test('keeps no more than 32 nodes, whatever a name leads to', () => {
    const nodes = Array.from({ length: 40 }, (_, index) => ({ ...certificateOf(leaf), fingerprint: String(index) }));
    const seen = nodes.map((node) => ({ ...nothing, chain: { certificates: [node], dropped: 0 } }));
    expect(learn(seen)?.leaves).toEqual(nodes.slice(0, 32));
  });

  test('is null when no certificate was seen', () => {
    expect(learn([nothing])).toBeNull();
  });
});

describe('compareBaseline()', () => {
  test.each([
    { expected: 'none', baseline: null, seen: certificateOf(leaf), above: authorities },
    { expected: 'same-leaf', baseline: known, seen: certificateOf(leaf), above: [] },
    { expected: 'same-leaf', baseline: { ...known, leaves: [...known.leaves, another] }, seen: another, above: [] },
    { expected: 'same-authority', baseline: known, seen: another, above: [stranger, ...authorities] },
    { expected: 'other-authority', baseline: known, seen: another, above: [stranger] },
  ])('$expected', ({ expected, baseline, seen, above }) => {
    expect(compareBaseline(baseline, seen, above)).toBe(expected);
  });
});

describe('weakerThan()', () => {
  const of = (key: string, signatureAlgorithm: string | null): Certificate => ({
    ...certificateOf(leaf),
    key,
    signatureAlgorithm,
  });
  const strong = of('RSA-2048', 'sha256WithRSAEncryption');
  const stronger = of('EC-P-384', 'ecdsa-with-SHA384');

  test.each<readonly [string, readonly Certificate[], Certificate, string | null, readonly string[]]>([
    ['the same', [strong], strong, 'TLSv1.3', []],
    ['an elliptic curve instead', [strong], of('EC-P-256', 'ecdsa-with-SHA256'), null, []],
    ['Ed25519 instead', [strong], of('Ed25519', 'ED25519'), null, []],
    ['a smaller key', [strong], { ...strong, key: 'RSA-1024' }, null, ['key RSA-1024']],
    ['SHA-1', [strong], of('RSA-2048', 'sha1WithRSAEncryption'), null, ['signature sha1WithRSAEncryption']],
    ['MD5', [strong], of('RSA-2048', 'md5WithRSAEncryption'), null, ['signature md5WithRSAEncryption']],
    ['an older protocol', [strong], strong, 'TLSv1.2', ['protocol TLSv1.2']],
    ['SHA-256 after SHA-384', [stronger], of('EC-P-384', 'ecdsa-with-SHA256'), null, ['signature ecdsa-with-SHA256']],
    ['as the weakest of several nodes', [stronger, strong], strong, null, []],
    ['SHA-3 with as many bits', [stronger], of('EC-P-384', 'ecdsa_with_SHA3-384'), null, []],
    ['an unknown signature', [stronger], of('EC-P-384', null), null, ['signature unknown']],
    ['SHA-1 after an unknown signature', [of('RSA-2048', null)], of('RSA-2048', 'sha1'), null, ['signature sha1']],
    ['anything, where no leaf was learned', [], strong, null, []],
  ])('%s', (_, leaves, seen, protocol, weaker) => {
    const found = weakerThan({ ...known, leaves }, seen, protocol);
    expect(found.map((text) => text.replace(/ instead of \S+$/u, ''))).toEqual(weaker);
  });
});

describe('trustUnder()', () => {
  const trust = {
    pins: [pinOf(root), pinOf(intermediate, 'configured')],
    anchors: [anchorOf(intermediate), anchorOf(root, 'configured')],
    publicRoots: publicRootsOf(),
  };
  const configured = { ...trust, pins: trust.pins.slice(1), anchors: trust.anchors.slice(1) };

  test.each<readonly [TrustProfile, typeof trust]>([
    ['fortinet', trust],
    ['public', configured],
    ['pinned', configured],
  ])('under the profile %s', (profile, counting) => {
    expect(trustUnder(profile, trust)).toEqual(counting);
  });
});

describe('findProduct()', () => {
  const ofTwo = [
    { type: 'O', pattern: /^One$/u },
    { type: 'CN', pattern: /^Proxy/u },
  ];
  const one: ProductPattern = {
    id: 'one',
    name: 'One',
    issuers: [ofTwo, [{ type: 'OU', pattern: /^One$/u }]],
    pages: [],
    mentions: [],
  };
  const two: ProductPattern = { ...one, id: 'two', name: 'Two', issuers: [[{ type: 'O', pattern: /^Two$/u }]] };
  const dn = (...pairs: readonly (readonly [string, string])[]) => ({
    attributes: pairs.map(([type, value]) => ({ type, value })),
  });

  test.each([
    ['all of one pattern', dn(['O', 'One'], ['CN', 'Proxy 7']), one],
    ['one of several patterns', dn(['OU', 'One']), one],
    ['a part of a pattern', dn(['O', 'One'], ['CN', 'Web']), null],
    ['one of several values', dn(['O', 'Acme'], ['O', 'Two']), two],
    ['an empty name', dn(), null],
  ])('%s', (_, name, product) => {
    expect(findProduct([one, two], name)).toBe(product);
  });

  test('answers by the catalogue that it is asked with', () => {
    const name = dn(['O', 'Two']);
    expect([[one], [one, two], [one]].map((products) => findProduct(products, name))).toEqual([null, two, null]);
  });
});

test.each([
  ['DigiCert Inc', 'digicert'],
  ['DigiCert, Inc.', 'digicert'],
  ['  DigiCert   Inc ', 'digicert'],
  ['Acme GmbH', 'acme'],
  ['Acme Co., Ltd.', 'acme'],
  ['GlobalSign nv-sa', 'globalsign'],
  ['Acme Holding AG', 'acme holding'],
  ['Acme Inc Holding', 'acme inc holding'],
  ['Inc. Magazine', 'inc magazine'],
  ['Income', 'income'],
  ['Inc', 'inc'],
])('organizationKey(): "%s" is the organization "%s"', (name, key) => {
  expect(organizationKey(name)).toBe(key);
});
