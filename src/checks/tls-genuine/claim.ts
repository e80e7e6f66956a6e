import type { Certificate, DistinguishedName } from '../../core/certificate.ts';
import { attributeValues, isSameName } from '../../core/distinguished-name.ts';
import { oncePer } from '../../core/once-per.ts';
import { organizationKey } from './organization.ts';
import type { ChainTrust } from './chain-trust.ts';
import type { Trust } from './trust.ts';

/**
 * Whom the names in a chain claim that it comes from: the vendor (an organization of the trusted authorities), a public
 * authority, or anybody else. A name proves nothing; but who claims to be neither cannot be a change at the vendor that
 * was not heard of yet.
 */
export type Claim = 'vendor' | 'public' | 'other';

export function claimOf({ kind, path }: ChainTrust, sent: readonly Certificate[], trust: Trust): Claim {
  if (kind === 'public' || kind === 'vendor') return kind;
  const issuers = path.map(({ issuer }) => issuer);
  const top = issuers.at(-1);
  // A leaf that signed itself names no authority, and what is no authority may not sign.
  if (top === undefined || (kind === 'foreign' && path.length === 1) || isNoAuthority(top, sent)) return 'other';
  const vendors = vendorOrganizations(trust);
  if (issuers.every((issuer) => organizationsOf(issuer).some((organization) => vendors.has(organization))))
    return 'vendor';
  return isPublicName(top, trust) ? 'public' : 'other';
}

/** Whether an issuer's organization is that of an authority that is trusted by name. */
export function claimsVendor(issuer: DistinguishedName, trust: Trust): boolean {
  const vendors = vendorOrganizations(trust);
  return organizationsOf(issuer).some((organization) => vendors.has(organization));
}

function isNoAuthority(name: DistinguishedName, sent: readonly Certificate[]): boolean {
  const namesakes = sent.filter(({ subject }) => isSameName(subject, name));
  return namesakes.length > 0 && namesakes.every(({ isAuthority }) => !isAuthority);
}

const vendorOrganizations = oncePer(({ anchors, pins }: Trust): ReadonlySet<string> => {
  const names = [...anchors.map(({ certificate }) => certificate.subject), ...pins.flatMap(({ name }) => name ?? [])];
  return new Set(names.flatMap(organizationsOf));
});

function isPublicName(name: DistinguishedName, { publicRoots }: Trust): boolean {
  return (
    publicRoots.bySubject(name).length > 0 ||
    organizationsOf(name).some((organization) => publicRoots.hasOrganization(organization))
  );
}

const organizationsOf = oncePer((name: DistinguishedName): readonly string[] =>
  attributeValues(name, 'O').map(organizationKey),
);
