import { rootCertificates } from 'node:tls';
import type { Certificate, DistinguishedName } from '../core/certificate.ts';
import { attributeValues, distinguishedNameKey } from '../core/distinguished-name.ts';
import { organizationKey } from '../checks/tls-genuine/organization.ts';
import type { PublicRoots } from '../checks/tls-genuine/trust.ts';
import { parseCertificate, parseSubject } from '../core/parse-certificate.ts';
import { ISSUING_ORGANIZATIONS } from './issuing-organizations.ts';
import { readPem } from './pem.ts';

/** A root whose subject alone is known, until it is asked for. */
interface Root {
  readonly subjectKey: string;
  /** null: it cannot be parsed. */
  readonly certificate: () => Certificate | null;
}

/**
 * Mozilla's roots as they come with Node, never the machine's own store: a company's root in that one would hide an
 * inspecting proxy. Their subjects are read, all at once in some milliseconds, when the first of them is asked for; the
 * rest of a certificate takes three times as long, and is for few.
 */
export function createPublicRoots(pems: readonly string[] = rootCertificates): PublicRoots {
  const roots = once(() => pems.flatMap(readPem).flatMap(rootOf));
  const bySubject = once(() => Map.groupBy(roots(), ({ subjectKey }) => subjectKey));
  const organizations = once(() => organizationsOf(certificatesOf(roots())));
  return {
    bySubject: (name: DistinguishedName) => certificatesOf(bySubject().get(distinguishedNameKey(name)) ?? []),
    hasOrganization: (organization) => organizations().has(organization),
  };
}

function rootOf(der: Uint8Array): readonly Root[] {
  const subject = parseSubject(der);
  if (subject === null) return [];
  return [{ subjectKey: distinguishedNameKey(subject), certificate: once(() => parseCertificate(der)) }];
}

function certificatesOf(roots: readonly Root[]): readonly Certificate[] {
  return roots.flatMap(({ certificate }) => certificate() ?? []);
}

function organizationsOf(roots: readonly Certificate[]): ReadonlySet<string> {
  const names = roots.flatMap(({ subject }) => attributeValues(subject, 'O'));
  return new Set([...names, ...ISSUING_ORGANIZATIONS.map(({ name }) => name)].map(organizationKey));
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
