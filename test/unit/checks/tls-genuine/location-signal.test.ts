import '../../../../src/demo/lab/reflect-metadata.ts';
import { CRLDistributionPointsExtension } from '@peculiar/x509';
import { describe, expect, test } from 'vitest';
import { openCase } from '../../../../src/checks/tls-genuine/chain-case.ts';
import { signalsOf } from '../../../../src/checks/tls-genuine/signals.ts';
import { createSignatureChecks } from '../../../../src/tls/chain.ts';
import { createIdentity, type Identity } from '../../../../src/demo/lab/identity.ts';
import { certificateOf } from '../../../support/certificates/chains.ts';
import { createCast } from '../../../support/certificates/verdict-cast.ts';
import { PUBLIC } from '../../../support/certificates/verdict-rows.ts';

const w = await createCast();
const likeRoot = await createIdentity({ name: 'O=Public Trust, CN=Root X9', authority: true });
const likePublic = await createIdentity({ name: 'O=Public Trust, CN=R99', authority: true, issuer: likeRoot });

/** Returns the signals for a leaf whose revocation list is at this URL. */
async function told(url: string, issuer: Identity, seen: Parameters<typeof w.evidence>[0] = {}): Promise<unknown> {
  const leaf = await w.leaf(issuer, { extensions: [new CRLDistributionPointsExtension([url])] });
  const chain = openCase([certificateOf(leaf), certificateOf(issuer)], w.evidence(seen), createSignatureChecks());
  return signalsOf(chain)
    .filter(({ rule }) => rule === 'issuer-is-found-on-the-internet')
    .map(({ weight, quote }) => ({ weight, quote }));
}

const signal = (url: string): unknown => [{ weight: 'witness', quote: url }];

describe('a place that only a private network knows', () => {
  test.each([
    'HTTP://PKI.ACME.LOCAL/ca.crl',
    'http://user:secret@pki.corp/ca.crl',
    'http://@pki/ca.crl',
    'http://[::1]/ca.crl',
    'http://[fd00::1]:8080/ca.crl',
    'http://10.1.2.3/ca.crl',
    'http://169.254.1.1/ca.crl',
    'http://pki.home.arpa/ca.crl',
    'ldap:///CN=acme-CA',
    'ldaps:///CN=acme-CA',
    'ldap://ldap.example.org/CN=acme-CA',
  ])('%s', async (url) => {
    expect(await told(url, w.corporate.sub)).toEqual(signal(url));
  });

  test.each([
    'http://pki.local.example/ca.crl',
    'http://93.184.216.34/ca.crl',
    'http://[2606:4700::1111]:8080/ca.crl',
    'http://user:secret@pki.example.org/ca.crl',
    'see http://pki/ca.crl',
    'xhttp://pki/ca.crl',
    'httpsx://pki/ca.crl',
    'xldap:///CN=acme-CA',
    'ldapx:///CN=acme-CA',
    'http:///ca.crl',
  ])('is not %s', async (url) => {
    expect(await told(url, w.corporate.sub)).toEqual([]);
  });
});

test('says what it found, and what was expected', async () => {
  const leaf = await w.leaf(w.corporate.sub, {
    extensions: [new CRLDistributionPointsExtension(['http://pki/ca.crl'])],
  });
  const sent = [certificateOf(leaf), certificateOf(w.corporate.sub)] as const;
  expect(signalsOf(openCase(sent, w.evidence({}), createSignatureChecks()))).toContainEqual(
    expect.objectContaining({
      claim: 'The certificate refers to an issuer or revocation list in a private network.',
      expected: 'An issuer and revocation list on the internet',
    }),
  );
});

describe('a directory, where the issuer claims to be public', () => {
  test.each([
    ['ldap:///CN=acme-CA', true],
    ['ldap://dc01/CN=acme-CA', true],
    ['ldap://ldap.example.org/CN=acme-CA', false],
  ])('%s: %s', async (url, isSign) => {
    expect(await told(url, likePublic)).toEqual(isSign ? signal(url) : []);
  });
});

test.each([
  ['a trusted chain', w.genuine.sub, {}],
  ['a public chain', w.public.sub, PUBLIC],
] as const)('%s may name what it likes', async (_, issuer, seen) => {
  expect(await told('http://pki.acme.local/ca.crl', issuer, seen)).toEqual([]);
});
