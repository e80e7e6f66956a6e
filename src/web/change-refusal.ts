import { isIP } from 'node:net';
import type { Context, MiddlewareHandler } from 'hono';
import ipaddr from 'ipaddr.js';
import type { ChangeRefusal } from '../core/audit.ts';
import { visibleText } from '../core/visible-text.ts';
import { type Identify, hasCredentials } from './identify.ts';
import type { WebEnv } from './sources.ts';
import type { WebConfig } from '../config/schema/web.ts';

/**
 * The rules that define who can send requests, and how ftm-watch's pages are distinguished from foreign pages in an
 * administrator's browser.
 */
export type AccessPolicy =
  /** On the control socket, anyone whom the operating system allows to open the socket has full access. */
  { readonly kind: 'socket' } | NetworkAccess;

export interface NetworkAccess {
  readonly kind: 'network';
  /** The function that identifies callers. Null to allow everyone. */
  readonly identify: Identify | null;
  /** Set if any account exists. Without accounts, no changes are allowed over the network. */
  readonly hasAccounts: boolean;
  /** Set if /metrics can be read without a login. */
  readonly opensMetrics: boolean;
  /** The configured value of `web.localReload`. */
  readonly localReload: boolean;
  /** The configured value of `web.hosts`. */
  readonly hosts: readonly string[];
}

const MAX_SHOWN = 100;
const FORWARDED = /^(?:forwarded|x-forwarded-.*|x-real-ip)$/u;
const NO_ACCOUNT =
  'the status page has no accounts, and changes over the network require an account. Add web.users. On this ' +
  'machine, run "ftm-watch reload" or "ftm-watch silence". Programs can use ' +
  '"curl --unix-socket /run/ftm-watch/control.sock -X POST http://localhost/-/reload"';

/**
 * Returns the reason why a change is refused, or null if it is allowed. Without accounts, all changes are refused,
 * because a request that a local proxy forwards without a header looks like a local request.
 */
export function changeRefusal(context: Context<WebEnv>, access: AccessPolicy): ChangeRefusal | null {
  if (access.kind === 'socket') return null;
  const refusal = isLocalReload(context, access) ? null : callerRefusal(context, access);
  if (refusal === 'account') return refusal;
  return isForeignOrigin((name) => context.req.header(name)) ? 'origin' : refusal;
}

/** Like {@link changeRefusal}, but checks only the caller. Used to decide whether a page offers changes. */
export function callerRefusal(context: Context<WebEnv>, access: AccessPolicy): ChangeRefusal | null {
  if (access.kind === 'socket') return null;
  if (!access.hasAccounts) return 'account';
  return context.get('caller').role === 'change' ? null : 'role';
}

/**
 * Returns whether `web.localReload` allows this request. The request must be a reload over the loopback interface
 * without a login. It must not come from a proxy that identifies itself or from a foreign page (DNS rebinding).
 */
export function isLocalReload(context: Context<WebEnv>, { localReload, hosts }: NetworkAccess): boolean {
  const headers = context.req.header();
  return (
    localReload &&
    context.req.method === 'POST' &&
    context.req.path === '/-/reload' &&
    isLoopback(context.env.incoming.socket.remoteAddress) &&
    !Object.keys(headers).some((name) => FORWARDED.test(name) || name === 'authorization') &&
    isOwnName(headers['host'], hosts)
  );
}

export function refusalText(refusal: ChangeRefusal, context: Context<WebEnv>): string {
  const { name, role } = context.get('caller');
  switch (refusal) {
    case 'account':
      return `Refused: ${NO_ACCOUNT}`;
    case 'origin':
      return FOREIGN_ORIGIN;
    case 'role':
      return `Refused: "${name ?? ''}" has the role "${role}", but this request requires the role "change"`;
  }
}

/**
 * Refuses requests for a host name that an attacker could control. Without users, the attacker's page could otherwise
 * read everything (RFC 9110 §15.5.20).
 */
export function refuseForeignNames(hosts: readonly string[]): MiddlewareHandler {
  return async (context, next) => {
    const host = context.req.header('Host');
    if (isOwnName(host, hosts) || isLocalName(host)) {
      await next();
      return undefined;
    }
    const shown = visibleText(host ?? '', MAX_SHOWN);
    return context.text(
      `Refused: an attacker may control the name "${shown}". Use an IP address, add the name to web.hosts, or add ` +
        'web.users\n',
      421,
    );
  };
}

export const FOREIGN_ORIGIN = 'Refused: the request comes from a page with a different origin';

/**
 * Returns whether a page with a different origin made the browser send this request. Browsers send Origin (RFC 6454 §7)
 * with every POST, and Sec-Fetch-Site (Fetch Metadata §2.3), which scripts cannot set. Programs like curl send neither
 * header.
 */
export function isForeignOrigin(header: (name: string) => string | undefined): boolean {
  const origin = header('Origin');
  const isOurs = origin === undefined || (URL.parse(origin)?.host ?? null) === header('Host');
  return !isOurs || !['same-origin', 'none'].includes(header('Sec-Fetch-Site') ?? 'none');
}

/**
 * Returns whether the request used a name that no attacker can own: an address, `localhost` or a configured host. The
 * owner of a page on the internet can point the page's name at an internal address (DNS rebinding), which makes the
 * page same-origin. This is not possible with these names.
 */
export function isOwnName(host: string | undefined, hosts: readonly string[]): boolean {
  const name = nameOf(host);
  return name === 'localhost' || isIP(name) !== 0 || hosts.includes(name);
}

/**
 * Returns whether the name is a single label, as used in containers and small networks. Nobody can register such a
 * name.
 */
export function isLocalName(host: string | undefined): boolean {
  return /^[\w-]+$/u.test(nameOf(host));
}

/** Returns the host without its port, brackets and trailing dot. */
function nameOf(host: string | undefined): string {
  return (host ?? '')
    .toLowerCase()
    .replace(/:\d+$/u, '')
    .replace(/^\[(.*)\]$/u, '$1')
    .replace(/\.$/u, '');
}

/**
 * Returns whether the peer is on this machine, or in this container or pod, and connected over the loopback interface.
 * Packets from outside never have a loopback address.
 *
 * @param address the address that the socket reports; undefined if the connection is closed
 */
export function isLoopback(address: string | undefined): boolean {
  // `process` accepts the format that a dual-stack socket reports, such as `::ffff:127.0.0.1`.
  return address !== undefined && isIP(address) !== 0 && ipaddr.process(address).range() === 'loopback';
}

/**
 * Returns one sentence for each item that unknown clients can read or change, unless the configuration marks this as
 * intended. The sentences are shown by `config check`, at startup and on the page. They never prevent the daemon from
 * starting.
 */
export function exposureNotes(web: WebConfig): readonly string[] {
  return [
    ...networkNotes(web),
    // The key does not suppress this warning, because a proxy that is added later gives access to other machines.
    ...(web.localReload
      ? [
          'Every program on this machine, and everyone who can reach a reverse proxy on it, can reload the ' +
            'configuration. To prevent this, remove "web.localReload" and use "ftm-watch reload".',
        ]
      : []),
  ];
}

function networkNotes(web: WebConfig): readonly string[] {
  if (isLoopback(web.listen.address)) return [];
  if (!hasCredentials(web))
    return web.anonymous !== null
      ? []
      : [
          'Everyone who can reach the status page can read it. ' +
            'Set web.users, or set "web.anonymous: read" if this is intended.',
        ];
  return web.tls !== null || web.plaintext
    ? []
    : [
        'Passwords and tokens for the status page are sent unencrypted. Set web.tls, or set "web.plaintext: true" if ' +
          'a proxy encrypts the traffic.',
      ];
}
