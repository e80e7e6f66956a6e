import { describe, expect, test } from 'vitest';
import type { Certificate } from '../../../../src/core/certificate.ts';
import { compareBaseline, learnBaseline, weakerThan } from '../../../../src/checks/tls-genuine/baseline.ts';
import { createHierarchy, createIdentity } from '../../../support/authority.ts';
import { certificateOf, chainOf } from '../../../support/chains.ts';

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
});
