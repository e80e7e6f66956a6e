import { isIP } from 'node:net';

export const FOREIGN_ORIGIN = 'Refused: the request comes from a page of another origin';

/**
 * Whether a page of another origin has made the browser send a request that changes something. Browsers send Origin
 * (RFC 6454 §7) with every POST, and Sec-Fetch-Site (Fetch Metadata §2.3), which is not within the reach of scripts.
 * Programs like curl send neither header.
 */
export function isForeignOrigin(header: (name: string) => string | undefined): boolean {
  const origin = header('Origin');
  const isOurs = origin === undefined || (URL.parse(origin)?.host ?? null) === header('Host');
  return !isOurs || !['same-origin', 'none'].includes(header('Sec-Fetch-Site') ?? 'none');
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
