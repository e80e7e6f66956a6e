import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { plainName } from '../../core/authority.ts';
import type { Certificate } from '../../core/certificate.ts';
import { attributeValues } from '../../core/distinguished-name.ts';

/**
 * A host name or pattern that can match at all; anything else in a certificate (escapes, spaces, a lone `*`) matches
 * nothing.
 */
const HOST_PATTERN = /^(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]{0,62})\.)*[a-z0-9_][a-z0-9_-]{0,62}$/u;

/**
 * Whether the certificate is for this host name or address (RFC 9525 §6): a dNSName or iPAddress of its subjectAltName;
 * `*` stands for exactly the left-most label, above at least two more. `commonName`: where there is no dNSName at all,
 * the subject's CN counts too. RFC 9525 has done away with that, but a private authority may not have.
 */
export function matchesName(
  certificate: Certificate,
  name: string,
  options: { readonly commonName: boolean },
): boolean {
  const wanted = plainName(name);
  if (isIP(wanted) !== 0) return certificate.ipAddresses.some((address) => sameAddress(address, wanted));
  if (certificate.dnsNames.length > 0 || !options.commonName)
    return certificate.dnsNames.some((pattern) => matchesPattern(pattern, wanted));
  return attributeValues(certificate.subject, 'CN').some((pattern) => matchesPattern(pattern, wanted));
}

function matchesPattern(pattern: string, name: string): boolean {
  const wanted = plainName(pattern);
  if (!HOST_PATTERN.test(wanted)) return false;
  if (!wanted.startsWith('*.')) return wanted === name;
  const parent = wanted.slice(2);
  const dot = name.indexOf('.');
  return dot > 0 && parent.includes('.') && name.slice(dot + 1) === parent;
}

/** @param wanted an address; what a certificate claims may be anything */
function sameAddress(claimed: string, wanted: string): boolean {
  return isIP(claimed) !== 0 && ipaddr.process(claimed).toString() === ipaddr.process(wanted).toString();
}

/** Whether two hosts may belong to the same owner: equal, or under the same two last labels. */
export function areRelatedHosts(left: string, right: string): boolean {
  if (plainName(left) === plainName(right)) return true;
  // Of two addresses the last bytes are no domain; a name never ends like an address.
  if (isIP(left) !== 0) return false;
  return domainOf(left) === domainOf(right);
}

function domainOf(host: string): string {
  return plainName(host).split('.').slice(-2).join('.');
}
