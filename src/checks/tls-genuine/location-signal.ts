import { classifyAddress } from '../../core/addresses.ts';
import { visibleText } from '../../core/visible-text.ts';
import type { ChainCase } from './chain-case.ts';
import { locationsOf } from './extensions.ts';
import type { Signal } from './signal.ts';

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
export function locationSignal(chain: ChainCase): readonly Signal[] {
  if (chain.chainTrust.kind === 'trusted' || chain.chainTrust.kind === 'public') return [];
  const isPrivate = (location: string): boolean => isPrivateLocation(location, chain.claim === 'public');
  const found = chain.chainTrust.path.flatMap(locationsOf).find(isPrivate);
  if (found === undefined) return [];
  return [
    {
      rule: 'issuer-is-found-on-the-internet',
      weight: 'witness',
      expected: 'Issuer and revocation list at addresses of the internet',
      actual: `They are to be had at ${visibleText(found, 160)}`,
      product: null,
    },
  ];
}

interface Location {
  readonly scheme: string;
  /** Empty: none is named, as in `ldap:///CN=…`. */
  readonly host: string;
}

function readLocation(location: string): Location | null {
  const [, scheme, bracketed, host] =
    /^([a-z][a-z0-9+.-]*):\/\/(?:[^/@]*@)?(?:\[([0-9a-f:.]+)\]|([^/:?#]*))/iu.exec(location) ?? [];
  return scheme === undefined
    ? null
    : { scheme: scheme.toLowerCase(), host: (bracketed ?? host ?? '').toLowerCase().replace(/\.$/u, '') };
}

/** Some public authorities name a directory server of the internet beside their web server: that is no sign. */
function isPrivateLocation(location: string, isPublicClaim: boolean): boolean {
  const read = readLocation(location);
  if (read === null) return false;
  if (/^ldaps?$/u.test(read.scheme)) return read.host === '' || !isPublicClaim || isPrivateHost(read.host);
  return /^https?$/u.test(read.scheme) && read.host !== '' && isPrivateHost(read.host);
}

function isPrivateHost(name: string): boolean {
  const kind = classifyAddress(name);
  if (kind !== null) return kind === 'private' || kind === 'loopback' || kind === 'link-local';
  return !name.includes('.') || INTERNAL_NAME.test(name);
}
