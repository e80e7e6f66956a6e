import { rootCertificates } from 'node:tls';
import type { Certificate, DistinguishedName } from '../core/certificate.ts';
import { distinguishedNameKey } from '../core/distinguished-name.ts';
import type { PublicRoots } from '../core/interception/trust.ts';
import { parseCertificate } from '../core/parse-certificate.ts';
import { readPem } from './pem.ts';

/**
 * Mozilla's roots as they come with Node, never the machine's own store: a company's root in that one would hide an inspecting
 * proxy. They are parsed, all at once in some milliseconds, when the first of them is asked for.
 */
export function createPublicRoots(pems: readonly string[] = rootCertificates): PublicRoots {
  let index: ReadonlyMap<string, readonly Certificate[]> | null = null;
  return {
    bySubject(name: DistinguishedName): readonly Certificate[] {
      index ??= indexBySubject(pems);
      return index.get(distinguishedNameKey(name)) ?? [];
    },
  };
}

function indexBySubject(pems: readonly string[]): ReadonlyMap<string, readonly Certificate[]> {
  const certificates = pems.flatMap(readPem).flatMap((der) => parseCertificate(der) ?? []);
  return Map.groupBy(certificates, (certificate) => distinguishedNameKey(certificate.subject));
}
