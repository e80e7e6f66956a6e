import { describe, expect, test } from 'vitest';
import type { Certificate } from '../../../../src/core/certificate.ts';
import { compareBaseline, learnBaseline, weakerThan } from '../../../../src/tls/trust.ts';
import { createHierarchy } from '../../../support/certificates/hierarchy.ts';
import { createIdentity } from '../../../../src/demo/lab/identity.ts';
import { certificateOf, chainOf } from '../../../support/certificates/chains.ts';

const { root, intermediate, leaf } = await createHierarchy();
const authorities = [intermediate, root].map(certificateOf);
const known = learnBaseline('a:443', [{ chain: chainOf(leaf, intermediate), authorities, protocol: 'TLSv1.3' }], {
  now: 5,
  accepted: [],
});
const stranger = certificateOf(await createIdentity({ name: 'CN=Stranger', authority: true }));
const another = certificateOf(await createIdentity({ name: 'CN=Other', issuer: intermediate }));
if (known === null) throw new Error('Expected a baseline');

describe('learnBaseline()', () => {
  test('keeps each certificate once and the lowest protocol', () => {
    const chain = chainOf(leaf, intermediate);
    const baseline = learnBaseline(
      'a:443',
      [
        { chain, authorities, protocol: 'TLSv1.3' },
        { chain, authorities, protocol: 'TLSv1.2' },
        { chain: chainOf(), authorities: [], protocol: null },
      ],
      { now: 5, accepted: [] },
    );
    expect(baseline).toEqual({
      target: 'a:443',
      learnedAt: 5,
      leaves: [certificateOf(leaf)],
      authorities,
      protocol: 'TLSv1.2',
      accepted: [],
    });
  });

  test('keeps no more than 32 nodes, whatever a name leads to', () => {
    const nodes = Array.from({ length: 40 }, (_, index) => ({ ...certificateOf(leaf), fingerprint: String(index) }));
    const seen = nodes.map((node) => ({ chain: { certificates: [node], dropped: 0 }, authorities, protocol: null }));
    const baseline = learnBaseline('a:443', seen, { now: 5, accepted: [] });
    expect(baseline?.leaves).toEqual(nodes.slice(0, 32));
  });

  test('is null when no certificate was seen', () => {
    expect(
      learnBaseline('a:443', [{ chain: chainOf(), authorities, protocol: null }], { now: 5, accepted: [] }),
    ).toBeNull();
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
  const strong: Certificate = {
    ...certificateOf(leaf),
    key: 'RSA-2048',
    signatureAlgorithm: 'sha256WithRSAEncryption',
  };
  const stronger: Certificate = { ...strong, key: 'EC-P-384', signatureAlgorithm: 'ecdsa-with-SHA384' };
  const unsigned: Certificate = { ...strong, signatureAlgorithm: null };
  const baseline = { ...known, leaves: [strong] };
  test.each([
    { name: 'the same', seen: strong, protocol: 'TLSv1.3', weaker: [] },
    {
      name: 'an elliptic curve instead',
      seen: { ...strong, key: 'EC-P-256', signatureAlgorithm: 'ecdsa-with-SHA256' },
      protocol: 'TLSv1.3',
      weaker: [],
    },
    {
      name: 'Ed25519 instead',
      seen: { ...strong, key: 'Ed25519', signatureAlgorithm: 'ED25519' },
      protocol: 'TLSv1.3',
      weaker: [],
    },
    {
      name: 'a smaller key',
      seen: { ...strong, key: 'RSA-1024' },
      protocol: 'TLSv1.3',
      weaker: ['key RSA-1024 instead of RSA-2048'],
    },
    {
      name: 'SHA-1',
      seen: { ...strong, signatureAlgorithm: 'sha1WithRSAEncryption' },
      protocol: null,
      weaker: ['signature sha1WithRSAEncryption instead of sha256WithRSAEncryption'],
    },
    {
      name: 'MD5',
      seen: { ...strong, signatureAlgorithm: 'md5WithRSAEncryption' },
      protocol: null,
      weaker: ['signature md5WithRSAEncryption instead of sha256WithRSAEncryption'],
    },
    { name: 'an older protocol', seen: strong, protocol: 'TLSv1.2', weaker: ['protocol TLSv1.2 instead of TLSv1.3'] },
  ])('$name', ({ seen, protocol, weaker }) => {
    expect(weakerThan(baseline, seen, protocol)).toEqual(weaker);
  });

  test.each([
    {
      name: 'SHA-256 where SHA-384 was learned',
      leaves: [stronger],
      seen: { ...stronger, signatureAlgorithm: 'ecdsa-with-SHA256' },
      weaker: ['signature ecdsa-with-SHA256 instead of ecdsa-with-SHA384'],
    },
    { name: 'as the weakest of several nodes', leaves: [stronger, strong], seen: strong, weaker: [] },
    {
      name: 'SHA-3 with as many bits',
      leaves: [stronger],
      seen: { ...stronger, signatureAlgorithm: 'ecdsa_with_SHA3-384' },
      weaker: [],
    },
    {
      name: 'an unknown signature where a long one was learned',
      leaves: [stronger],
      seen: { ...stronger, signatureAlgorithm: null },
      weaker: ['signature unknown instead of ecdsa-with-SHA384'],
    },
    {
      name: 'SHA-1 where an unknown signature was learned',
      leaves: [unsigned],
      seen: { ...strong, signatureAlgorithm: 'sha1WithRSAEncryption' },
      weaker: ['signature sha1WithRSAEncryption instead of unknown'],
    },
    { name: 'anything, where no leaf was learned', leaves: [], seen: strong, weaker: [] },
  ])('$name', ({ leaves, seen, weaker }) => {
    expect(weakerThan({ ...known, leaves }, seen, null)).toEqual(weaker);
  });
});
