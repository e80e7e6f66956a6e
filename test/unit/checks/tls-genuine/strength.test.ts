import { describe, expect, test } from 'vitest';
import { hasStrongSignature, isStrongKey, keyStrength } from '../../../../src/checks/tls-genuine/strength.ts';
import { createIdentity } from '../../../support/authority.ts';
import { certificateOf } from '../../../support/chains.ts';

const base = certificateOf(await createIdentity({ name: 'CN=x' }));

describe('isStrongKey()', () => {
  test.each([
    'RSA-2048',
    'RSA-3072',
    'RSA-8192',
    'RSA-PSS-2048',
    'EC-P-256',
    'EC-P-521',
    'EC-brainpoolP256r1',
    'Ed25519',
    'Ed448',
    'ml-dsa-65',
  ])('%s', (key) => {
    expect(isStrongKey(key)).toBe(true);
  });

  test.each([
    'RSA-512',
    'RSA-1024',
    'RSA-2047',
    'RSA-16384',
    'RSA-unknown',
    'DSA-2048',
    'EC-P-192',
    'EC-secp112r1',
    'x25519',
    'unknown',
    '',
  ])('not %s', (key) => {
    expect(isStrongKey(key)).toBe(false);
  });

  test('tells keys apart that are too large to verify with from those that are only weak', () => {
    expect(keyStrength('RSA-16384')).toBeNull();
    expect(keyStrength('RSA-512')).toBe(40);
  });
});

describe('hasStrongSignature()', () => {
  test.each([
    'sha256WithRSAEncryption',
    'sha384WithRSAEncryption',
    'sha512WithRSAEncryption',
    'ecdsa-with-SHA256',
    'ecdsa-with-SHA512',
    'rsassaPss-SHA256',
    'RSA-SHA3-256',
    'ecdsa_with_SHA3-256',
    'ED25519',
    'ED448',
    'ML-DSA-65',
  ])('%s', (signatureAlgorithm) => {
    expect(hasStrongSignature({ ...base, signatureAlgorithm })).toBe(true);
  });

  test.each([
    null,
    'md5WithRSAEncryption',
    'sha1WithRSAEncryption',
    'ecdsa-with-SHA1',
    'rsassaPss-SHA1',
    'rsassaPss',
    'dsa_with_SHA256',
    'new-thing',
    '',
  ])('not %s', (signatureAlgorithm) => {
    expect(hasStrongSignature({ ...base, signatureAlgorithm })).toBe(false);
  });
});
