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

interface Row {
  readonly what: string;
  readonly kind: ChainTrust['kind'];
  /** From the leaf's issuer up. */
  readonly issuers: readonly DistinguishedName[];
  readonly sent?: readonly Certificate[];
  readonly claim: Claim;
}

describe('claimOf()', () => {
  test.each<Row>([
    { what: 'a name of the vendor', kind: 'incomplete', issuers: [VENDOR], claim: 'vendor' },
    { what: 'another name of the vendor', kind: 'incomplete', issuers: [name('Held Vendor')], claim: 'vendor' },
    {
      what: "the vendor's name among others",
      kind: 'incomplete',
      issuers: [name('Acme', 'Fortinet')],
      claim: 'vendor',
    },
    { what: "a root with the vendor's name", kind: 'foreign', issuers: [VENDOR, VENDOR], claim: 'vendor' },
    {
      what: "the vendor's name under a company's",
      kind: 'incomplete',
      issuers: [VENDOR, name('Acme')],
      claim: 'other',
    },
    {
      what: "a company's name under the vendor's",
      kind: 'incomplete',
      issuers: [name('Acme'), VENDOR],
      claim: 'other',
    },
    { what: 'a public organization', kind: 'incomplete', issuers: [name('Public Trust')], claim: 'public' },
    {
      what: 'one that wants to be public as well',
      kind: 'incomplete',
      issuers: [name('A', 'Public Trust')],
      claim: 'public',
    },
    {
      what: 'a public root without an organization',
      kind: 'incomplete',
      issuers: [certificateOf(namelessRoot).subject],
      claim: 'public',
    },
    { what: 'a company', kind: 'incomplete', issuers: [name('Acme')], claim: 'other' },
    { what: 'nobody', kind: 'incomplete', issuers: [name()], claim: 'other' },
    { what: 'itself, with the name of the vendor', kind: 'foreign', issuers: [VENDOR], claim: 'other' },
    {
      what: 'a server of the vendor, which may not sign',
      kind: 'incomplete',
      issuers: [VENDOR],
      sent: [named(VENDOR, false)],
      claim: 'other',
    },
    {
      what: 'an authority of the vendor, of whose name a server is too',
      kind: 'incomplete',
      issuers: [VENDOR],
      sent: [named(VENDOR, false), named(VENDOR, true)],
      claim: 'vendor',
    },
    {
      what: 'the vendor, beside a server of another name',
      kind: 'incomplete',
      issuers: [VENDOR],
      sent: [named(name('Acme'), false)],
      claim: 'vendor',
    },
    // Names do not matter if signatures prove the owner.
    { what: 'the vendor, under a public root', kind: 'public', issuers: [VENDOR], claim: 'public' },
    { what: "a company, under the vendor's key", kind: 'vendor', issuers: [name('Acme')], claim: 'vendor' },
  ])('$claim: $what', ({ kind, issuers, sent, claim }) => {
    const standing = { kind, path: issuers.map(by), label: null, authorities: [] };
    expect(claimOf(standing, sent ?? [], trust)).toBe(claim);
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
