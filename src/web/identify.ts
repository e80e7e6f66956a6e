import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Role, WebConfig } from '../config/schema/web.ts';
import { readSecret } from '../system/secret.ts';
import type { Millis } from '../core/clock.ts';
import { verifiedPeerNames } from '../network/tls/peer-names.ts';
import type { Login } from './login.ts';
import { isLoopback } from './loopback.ts';

/** A caller by what it showed. */
export interface Identity {
  readonly name: string;
  readonly role: Role;
}

/** `refused`: nothing was shown, or nothing that is right; `name` of a login whose password was looked at. */
export type Identified =
  | { readonly kind: 'known'; readonly identity: Identity }
  | { readonly kind: 'refused'; readonly name: string | null }
  | { readonly kind: 'later'; readonly retryAfter: Millis };

export type Identify = (request: IncomingMessage) => Promise<Identified>;

type Credentials = Pick<WebConfig, 'users' | 'tokens' | 'certificates' | 'proxy'>;

/** Whether there is anybody who could log in. */
export function hasCredentials({ users, tokens, certificates, proxy }: Credentials): boolean {
  return users.length + tokens.length + certificates.length > 0 || proxy !== null;
}

/**
 * By the certificate of the connection, by what the configured proxy says of its user, by a bearer token (RFC 6750), or
 * by name and password (RFC 7617), in this order. A proxy's header from anybody else is not looked at.
 */
export function createIdentify(config: Credentials, login: Login | null, env: NodeJS.ProcessEnv): Identify {
  const roles = new Map(config.users.map(({ name, role }) => [name, role]));

  return async (request) => {
    const names = verifiedPeerNames(request.socket);
    const byCertificate = config.certificates.find(({ name }) => names.includes(name));
    if (byCertificate !== undefined) return { kind: 'known', identity: byCertificate };
    const proxied = proxiedIdentity(config.proxy, request, names);
    if (proxied !== null) return { kind: 'known', identity: proxied };
    const [, scheme = '', value = ''] = /^(\S+) +(\S+) *$/u.exec(request.headers.authorization ?? '') ?? [];
    switch (scheme.toLowerCase()) {
      case 'bearer':
        return byToken(value);
      case 'basic':
        return byPassword(Buffer.from(value, 'base64').toString('utf8'), request.socket.remoteAddress);
      default:
        return { kind: 'refused', name: null };
    }
  };

  async function byToken(shown: string): Promise<Identified> {
    for (const { name, role, token } of config.tokens)
      if (isSame(shown, await readSecret(token, env))) return { kind: 'known', identity: { name, role } };
    return { kind: 'refused', name: null };
  }

  async function byPassword(pair: string, address: string | undefined): Promise<Identified> {
    const colon = pair.indexOf(':');
    if (login === null || colon < 0) return { kind: 'refused', name: null };
    const name = pair.slice(0, colon);
    const outcome = await login.check(name, pair.slice(colon + 1), address);
    if (outcome.kind === 'later') return outcome;
    const role = roles.get(name);
    return outcome.kind === 'accepted' && role !== undefined
      ? { kind: 'known', identity: { name, role } }
      : { kind: 'refused', name };
  }
}

/** The user that the configured proxy names: at this machine, or with its certificate. */
function proxiedIdentity(
  proxy: WebConfig['proxy'],
  { headers, socket }: IncomingMessage,
  names: readonly string[],
): Identity | null {
  if (proxy === null) return null;
  const isProxy = proxy.certificate === null ? isLoopback(socket.remoteAddress) : names.includes(proxy.certificate);
  const name = headers[proxy.userHeader.toLowerCase()];
  return isProxy && typeof name === 'string' && name !== '' ? { name, role: proxy.role } : null;
}

/** Takes as long for any text. */
function isSame(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
