import { isIP } from 'node:net';

/** What a request says about where it comes from. */
export interface RequestOrigin {
  readonly host: string | undefined;
  /** RFC 6454 §7: sent by browsers with every POST. */
  readonly origin: string | undefined;
  /** Fetch Metadata §2.3: sent by browsers, and not within the reach of scripts. */
  readonly fetchSite: string | undefined;
}

/**
 * Why a request that changes something is refused, in a sentence; null when it may pass. Programs like curl send
 * neither header.
 */
export function foreignOrigin({ host, origin, fetchSite }: RequestOrigin): string | null {
  if (fetchSite !== undefined && fetchSite !== 'same-origin' && fetchSite !== 'none') {
    return 'Refused: the request comes from a page of another origin';
  }
  if (origin !== undefined && hostOf(origin) !== host)
    return 'Refused: the request comes from a page of another origin';
  return null;
}

/**
 * Whether the server was called by a name that a stranger cannot have: an address, `localhost`, or one of the
 * configuration. A page on the internet can point its own name at an address inside (DNS rebinding) and is then of the
 * same origin; it cannot do so with these.
 */
export function isOwnName(host: string | undefined, hosts: readonly string[]): boolean {
  const name = nameOf(host);
  return name === 'localhost' || isIP(name) !== 0 || hosts.includes(name);
}

/** A name of one label, as in containers and on small networks: nobody can register it. */
export function isLocalName(host: string | undefined): boolean {
  return /^[\w-]+$/u.test(nameOf(host));
}

/** Without port, brackets and the dot of the root. */
function nameOf(host: string | undefined): string {
  return (host ?? '')
    .toLowerCase()
    .replace(/:\d+$/u, '')
    .replace(/^\[(.*)\]$/u, '$1')
    .replace(/\.$/u, '');
}

function hostOf(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null;
}
