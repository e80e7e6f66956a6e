import { describe, expect, test } from 'vitest';
import type { Certificate, DistinguishedName } from '../../../../src/core/certificate.ts';
import { claimOf, claimsVendor } from '../../../../src/checks/tls-genuine/chain-case.ts';
import type { ChainTrust } from '../../../../src/tls/chain.ts';
import type { Trust } from '../../../../src/tls/trust.ts';
import { createIdentity } from '../../../../src/demo/lab/identity.ts';
import { anchorOf, certificateOf, pinOf, publicRootsOf } from '../../../support/certificates/chains.ts';

type Claim = ReturnType<typeof claimOf>;

const vendorKey = await createIdentity({ name: 'O=Fortinet, CN=fortinet-ca2', authority: true });
const vendorAnchor = await createIdentity({ name: 'O=Held Vendor, CN=Root', authority: true });
const publicRoot = await createIdentity({ name: 'O=Public Trust, CN=Root X1', authority: true });
const namelessRoot = await createIdentity({ name: 'CN=Root without an organization', authority: true });
const base = certificateOf(vendorKey);
const trust: Trust = {
  pins: [pinOf(vendorKey), { ...pinOf(publicRoot), name: null }],
  anchors: [anchorOf(vendorAnchor)],
  publicRoots: publicRootsOf(publicRoot, namelessRoot),
};

function name(...organizations: readonly string[]): DistinguishedName {
  return {
    attributes: [...organizations.map((value) => ({ type: 'O', value })), { type: 'CN', value: 'Some authority' }],
  };
}

const VENDOR = name('Fortinet');
const by = (issuer: DistinguishedName): Certificate => ({ ...base, subject: name(), issuer });
const named = (subject: DistinguishedName, isAuthority: boolean): Certificate => ({ ...base, subject, isAuthority });

type Row = readonly [
  what: string,
  kind: ChainTrust['kind'],
  /** From the leaf's issuer up. */
  issuers: readonly DistinguishedName[],
  sent: readonly Certificate[],
  claim: Claim,
];

describe('claimOf()', () => {
  test.each<Row>([
    ['a name of the vendor', 'incomplete', [VENDOR], [], 'vendor'],
    ['another name of the vendor', 'incomplete', [name('Held Vendor')], [], 'vendor'],
    ["the vendor's name among others", 'incomplete', [name('Acme', 'Fortinet')], [], 'vendor'],
    ["a root with the vendor's name", 'foreign', [VENDOR, VENDOR], [], 'vendor'],
    ["the vendor's name under a company's", 'incomplete', [VENDOR, name('Acme')], [], 'other'],
    ["a company's name under the vendor's", 'incomplete', [name('Acme'), VENDOR], [], 'other'],
    ['a public organization', 'incomplete', [name('Public Trust')], [], 'public'],
    ['one that wants to be public as well', 'incomplete', [name('A', 'Public Trust')], [], 'public'],
    ['a public root without an organization', 'incomplete', [certificateOf(namelessRoot).subject], [], 'public'],
    ['a company', 'incomplete', [name('Acme')], [], 'other'],
    ['nobody', 'incomplete', [name()], [], 'other'],
    ['itself, with the name of the vendor', 'foreign', [VENDOR], [], 'other'],
    ['a server of the vendor, which may not sign', 'incomplete', [VENDOR], [named(VENDOR, false)], 'other'],
    [
      'an authority of the vendor, of whose name a server is too',
      'incomplete',
      [VENDOR],
      [named(VENDOR, false), named(VENDOR, true)],
      'vendor',
    ],
    ['the vendor, beside a server of another name', 'incomplete', [VENDOR], [named(name('Acme'), false)], 'vendor'],
    // Names do not matter if signatures prove the owner.
    ['the vendor, under a public root', 'public', [VENDOR], [], 'public'],
    ["a company, under the vendor's key", 'vendor', [name('Acme')], [], 'vendor'],
  ])('%s (%s): $4', (_, kind, issuers, sent, claim) => {
    const standing = { kind, path: issuers.map(by), label: null, authorities: [] };
    expect(claimOf(standing, sent, trust)).toBe(claim);
  });
});

describe('claimsVendor()', () => {
  test.each([
    [VENDOR, true],
    [name('Fortinet, Inc.'), true],
    [name('Acme', 'Fortinet'), true],
    [name('Public Trust'), false],
    [name(), false],
  ])('takes the organization of a trusted name for the vendor: %j', (issuer, claims) => {
    expect(claimsVendor(issuer, trust)).toBe(claims);
  });
});
