import { rootCertificates } from 'node:tls';
import type { Certificate, DistinguishedName } from '../core/certificate.ts';
import { attributeValues, distinguishedNameKey } from '../core/distinguished-name.ts';
import { organizationKey } from '../checks/tls-genuine/organization.ts';
import type { PublicRoots } from '../checks/tls-genuine/trust.ts';
import { parseCertificate } from '../core/parse-certificate.ts';
import { ISSUING_ORGANIZATIONS } from './issuing-organizations.ts';
import { readPem } from './pem.ts';

/**
 * Mozilla's roots as they come with Node, never the machine's own store: a company's root in that one would hide an
 * inspecting proxy. They are parsed, all at once in some milliseconds, when the first of them is asked for.
 */
export function createPublicRoots(pems: readonly string[] = rootCertificates): PublicRoots {
  let index: ReadonlyMap<string, readonly Certificate[]> | null = null;
  let organizations: ReadonlySet<string> | null = null;
  const roots = (): ReadonlyMap<string, readonly Certificate[]> => {
    index ??= indexBySubject(pems);
    return index;
  };
  return {
    bySubject: (name: DistinguishedName) => roots().get(distinguishedNameKey(name)) ?? [],
    hasOrganization: (organization) => {
      organizations ??= organizationsOf([...roots().values()].flat());
      return organizations.has(organization);
    },
  };
}

function organizationsOf(roots: readonly Certificate[]): ReadonlySet<string> {
  const names = roots.flatMap(({ subject }) => attributeValues(subject, 'O'));
  return new Set([...names, ...ISSUING_ORGANIZATIONS.map(({ name }) => name)].map(organizationKey));
}

function indexBySubject(pems: readonly string[]): ReadonlyMap<string, readonly Certificate[]> {
  const certificates = pems.flatMap(readPem).flatMap((der) => parseCertificate(der) ?? []);
  return Map.groupBy(certificates, (certificate) => distinguishedNameKey(certificate.subject));
}
