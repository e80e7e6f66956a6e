import { isIP } from 'node:net';
import type { Context, MiddlewareHandler } from 'hono';
import ipaddr from 'ipaddr.js';
import type { ChangeRefusal } from '../core/audit.ts';
import { visibleText } from '../core/visible-text.ts';
import { type Identify, hasCredentials } from './identify.ts';
import type { WebEnv } from './sources.ts';
import type { WebConfig } from '../config/schema/web.ts';

/** Who may ask, and what tells our own page from one of somebody else's that uses the browser of an administrator. */
export type AccessPolicy =
  /** At the control socket: whom the operating system lets open it may do everything. */
  { readonly kind: 'socket' } | NetworkAccess;

export interface NetworkAccess {
  readonly kind: 'network';
  /** null: everybody may come in. */
  readonly identify: Identify | null;
  /** Somebody has an account. Otherwise nothing is changed over the network. */
  readonly hasAccounts: boolean;
  /** Who shows nothing may read /metrics. */
  readonly opensMetrics: boolean;
  /** `web.localReload`. */
  readonly localReload: boolean;
  /** `web.hosts`. */
  readonly hosts: readonly string[];
}

const MAX_SHOWN = 100;
const FORWARDED = /^(?:forwarded|x-forwarded-.*|x-real-ip)$/u;
const NO_ACCOUNT =
  'the status page has no accounts, and only an account may change anything over the network. Add web.users. On this ' +
  'machine, run "ftm-watch reload" or "ftm-watch silence"; a program can use ' +
  '"curl --unix-socket /run/ftm-watch/control.sock -X POST http://localhost/-/reload"';

/**
 * Why a request that changes something is refused; null if it is allowed. Without accounts all are refused: a request
 * that a proxy on this machine forwards without a header looks like one from this machine.
 */
export function changeRefusal(context: Context<WebEnv>, access: AccessPolicy): ChangeRefusal | null {
  if (access.kind === 'socket') return null;
  const refusal = isLocalReload(context, access) ? null : callerRefusal(context, access);
  if (refusal === 'account') return refusal;
  return isForeignOrigin((name) => context.req.header(name)) ? 'origin' : refusal;
}

/** The same of who asks, wherever the request comes from: whether a page offers it to change something. */
export function callerRefusal(context: Context<WebEnv>, access: AccessPolicy): ChangeRefusal | null {
  if (access.kind === 'socket') return null;
  if (!access.hasAccounts) return 'account';
  return context.get('caller').role === 'change' ? null : 'role';
}

/**
 * Whether `web.localReload` allows this request: a reload that comes over the loopback interface, shows no login, and
 * was not sent by a proxy that says so or by a page of somebody else (DNS rebinding).
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

/** The same in a sentence. */
export function refusalText(refusal: ChangeRefusal, context: Context<WebEnv>): string {
  const { name, role } = context.get('caller');
  switch (refusal) {
    case 'account':
      return `Refused: ${NO_ACCOUNT}`;
    case 'origin':
      return FOREIGN_ORIGIN;
    case 'role':
      return `Refused: "${name ?? ''}" has the role "${role}", and this needs the role "change"`;
  }
}

/**
 * Answers nothing to who calls by a name that may be a stranger's: without users, whose page it is could read
 * everything (RFC 9110 §15.5.20).
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
      `Refused: "${shown}" may be the name of a stranger: call by address, add the name to web.hosts, or add ` +
        'web.users\n',
      421,
    );
  };
}

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

/**
 * Whether the other end of a connection is on this machine, or in this container or pod, and came over its loopback
 * interface: no packet from outside has such an address.
 *
 * @param address as a socket gives it; undefined once the connection is gone
 */
export function isLoopback(address: string | undefined): boolean {
  // `process` takes the form that a socket for both families gives: `::ffff:127.0.0.1`.
  return address !== undefined && isIP(address) !== 0 && ipaddr.process(address).range() === 'loopback';
}

/**
 * What strangers may read or do, a sentence each; nothing if the configuration says that it is meant. Said by
 * `config check`, at the start and on the page; never a reason not to start.
 */
export function exposureNotes(web: WebConfig): readonly string[] {
  return [
    ...networkNotes(web),
    // Not silenced by the key itself: a proxy that is added later opens it to more than this machine.
    ...(web.localReload
      ? [
          'Every program on this machine, and everybody who reaches a reverse proxy on it, can reload the ' +
            'configuration: remove "web.localReload" and use "ftm-watch reload".',
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
          'Everybody who reaches the status page may read it: set web.users, or "web.anonymous: read" where that is ' +
            'meant.',
        ];
  return web.tls !== null || web.plaintext
    ? []
    : [
        'Passwords and tokens for the status page travel in clear: set web.tls, or "web.plaintext: true" where ' +
          'something else encrypts on the way.',
      ];
}
