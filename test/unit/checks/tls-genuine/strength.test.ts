import { describe, expect, test } from 'vitest';
import { hasStrongSignature, isStrongKey, keyStrength } from '../../../../src/tls/trust.ts';
import { createIdentity } from '../../../../src/demo/lab/identity.ts';
import { certificateOf } from '../../../support/certificates/chains.ts';

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
    'RSA-3072 with a 3072-bit exponent',
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

describe('keyStrength()', () => {
  test.each([
    ['RSA-1023', 40],
    ['RSA-1024', 80],
    ['RSA-2047', 80],
    ['RSA-2048', 112],
    ['RSA-3071', 112],
    ['RSA-3072', 128],
    ['RSA-7679', 128],
    ['RSA-7680', 192],
    ['RSA-8192', 192],
    ['RSA-8193', null],
    ['RSA-3072 with a 65-bit exponent', null],
    ['RSA-PSS-3072', 128],
    ['EC-P-224', 112],
    ['EC-P-384', 192],
    ['EC-brainpoolP256r1', 128],
    ['Ed25519', 128],
    ['Ed448', 224],
    ['ml-dsa-44', 128],
    ['ml-dsa-87', 128],
    ['ml-dsa-99', null],
    ['slh-ml-dsa-44', null],
    ['ml-dsa-44-of-somebody', null],
    ['XRSA-2048', null],
  ])('%s has %s bits', (key, bits) => {
    expect(keyStrength(key)).toBe(bits);
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
    'other-sha256WithRSAEncryption',
    'ED25519-of-somebody',
    '',
  ])('not %s', (signatureAlgorithm) => {
    expect(hasStrongSignature({ ...base, signatureAlgorithm })).toBe(false);
  });
});
