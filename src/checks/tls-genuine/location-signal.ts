import { classifyAddress } from '../../core/addresses.ts';
import { visibleText } from '../../core/visible-text.ts';
import type { ChainCase } from './chain-case.ts';
import { plainName } from '../../core/authority.ts';
import { locationsOf } from './extensions.ts';
import type { Seen } from './signal.ts';

/**
 * Names that no resolver of the internet knows: RFC 6762 §3, RFC 8375, ICANN's `.internal`, and those of RFC 6762
 * appendix G.
 */
const INTERNAL_NAME = /\.(?:local|localdomain|internal|intranet|private|corp|home|lan|home\.arpa)$/u;

/**
 * Where the certificates say that their issuer or its revocation list can be had: in a directory (as Active Directory's
 * certificate services write it) or at a host of a private network. A server of the internet has clients that could not
 * look there.
 */
export function privateLocation({ chainTrust, claim: claimed }: ChainCase): Seen | null {
  if (chainTrust.kind === 'trusted' || chainTrust.kind === 'public') return null;
  const found = chainTrust.path
    .flatMap(locationsOf)
    .find((location) => isPrivateLocation(location, claimed === 'public'));
  if (found === undefined) return null;
  const expected = 'Issuer and revocation list at addresses of the internet';
  const claim = 'The certificate points to an issuer or a revocation list inside a private network.';
  return {
    claim,
    expected,
    actual: `They are to be had at ${visibleText(found, 160)}`,
    quote: visibleText(found, 160),
  };
}

/** Some public authorities name a directory server of the internet beside their web server: that is no sign. */
function isPrivateLocation(location: string, isPublicClaim: boolean): boolean {
  const [, scheme = '', bracketed, name = ''] =
    /^([a-z][a-z0-9+.-]*):\/\/(?:[^/@]*@)?(?:\[([0-9a-f:.]+)\]|([^/:?#]*))/iu.exec(location) ?? [];
  const host = plainName(bracketed ?? name);
  // No host is named in `ldap:///CN=…`.
  if (/^ldaps?$/iu.test(scheme)) return host === '' || !isPublicClaim || isPrivateHost(host);
  return /^https?$/iu.test(scheme) && host !== '' && isPrivateHost(host);
}

function isPrivateHost(name: string): boolean {
  const kind = classifyAddress(name);
  if (kind !== null) return kind === 'private' || kind === 'loopback' || kind === 'link-local';
  return !name.includes('.') || INTERNAL_NAME.test(name);
}
