import { TLSSocket } from 'node:tls';
import type { Socket } from 'node:net';
import { parseDistinguishedName } from '../../core/distinguished-name.ts';
import { parseSubjectAltName } from '../../core/subject-alt-name.ts';

/**
 * The common names and DNS names in the certificate that a client has shown; none where it has shown none, or one that
 * was not verified under the server's `ca`.
 */
export function verifiedPeerNames(socket: Socket): readonly string[] {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return [];
  const certificate = socket.getPeerX509Certificate();
  const { attributes } = parseDistinguishedName(certificate?.subject);
  const commonNames = attributes.filter(({ type }) => type === 'CN').map(({ value }) => value);
  return [...commonNames, ...parseSubjectAltName(certificate?.subjectAltName).dnsNames];
}
