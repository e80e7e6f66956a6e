import { isIP } from 'node:net';
import { hostname } from 'node:os';
import type { Context, MiddlewareHandler } from 'hono';
import ipaddr from 'ipaddr.js';
import type { ChangeRefusal } from '../core/audit.ts';
import { visibleText } from '../core/visible-text.ts';
import type { ChangeLimit } from './change-limit.ts';
import { authenticate, hasCredentials, type Identify } from './identify.ts';
import type { Serving, WebEnv, WebSources } from './sources.ts';
import type { Role, WebConfig } from '../config/schema/web.ts';

type AccessPolicy =
  /** The operating system restricts who can open the control socket. Everyone who can open it has full access. */
  { readonly kind: 'socket' } | NetworkAccess;

interface NetworkAccess {
  readonly kind: 'network';
  readonly identify: Identify | null;
  readonly hasAccounts: boolean;
  readonly opensMetrics: boolean;
  readonly localReload: boolean;
  readonly hosts: readonly string[];
  /** Whether the server itself uses TLS. */
  readonly tls: boolean;
}

export interface Web extends Serving {
  readonly access: AccessPolicy;
  readonly changeLimit: ChangeLimit;
}

/** Identifies callers and checks what they may read. Permissions for changes are checked by `changeRefusal`. */
export function guard({ access, ...serving }: Web): readonly MiddlewareHandler<WebEnv>[] {
  if (access.kind === 'socket') return [takeAs('change')];
  return [askWho(access, serving), access.identify === null ? takeAs('read') : limitRole];
}

function askWho(access: NetworkAccess, serving: Serving): MiddlewareHandler<WebEnv> {
  const { identify, hasAccounts, opensMetrics, hosts } = access;
  if (identify === null) {
    const refuseForeign = refuseForeignNames(hosts);
    return (context, next) => (isForPrometheus(context.req.path, context) ? next() : refuseForeign(context, next));
  }
  const authenticated = authenticate(identify, serving);
  const door = opensMetrics ? letScrape(authenticated) : authenticated;
  return (context, next) => {
    // The routes themselves refuse changes and suggest an alternative.
    const isRefusedChange = !hasAccounts && !['GET', 'HEAD'].includes(context.req.method);
    if (isLocalReload(context, access)) return takeAs('change')(context, next);
    return isRefusedChange ? takeAs('read')(context, next) : door(context, next);
  };
}

/**
 * Prometheus may use any host name for `/metrics`, because metrics contain no free text and Prometheus would not show
 * the reason for a refusal. For probes and discovery, it may use any name that an attacker cannot register.
 */
function isForPrometheus(path: string, context: Context<WebEnv>): boolean {
  return path === '/metrics' || (OF_METRICS.has(path) && isSingleLabel(context.req.header('Host')));
}

/** If a scrape contains credentials, they are still checked, so that a scraper with a wrong token receives an error. */
function letScrape(authenticated: MiddlewareHandler<WebEnv>): MiddlewareHandler<WebEnv> {
  return (context, next) => {
    const { path } = context.req;
    if (path !== '/metrics' || context.req.header('Authorization') !== undefined) return authenticated(context, next);
    return takeAs('metrics')(context, next);
  };
}

/** Sets the caller of a request without a login. */
function takeAs(role: Role): MiddlewareHandler<WebEnv> {
  return async (context, next) => {
    const address = context.env.incoming.socket.remoteAddress ?? null;
    context.set('caller', { name: null, role, address });
    await next();
  };
}

const OF_METRICS: ReadonlySet<string> = new Set(['/metrics', '/probe', '/sd']);

const limitRole: MiddlewareHandler<WebEnv> = async (context, next) => {
  const { name, role } = context.get('caller');
  if (role === 'metrics' && !OF_METRICS.has(context.req.path))
    return context.text(
      `Refused: "${name ?? ''}" has the role "metrics", which can read only /metrics, /probe and /sd\n`,
      403,
    );
  await next();
  return undefined;
};

const MAX_SHOWN = 100;
const FORWARDED = /^(?:forwarded|x-forwarded-.*|x-real-ip)$/u;

/**
 * If there are no accounts, all changes over the network are refused, because a request forwarded by a local proxy can
 * look like a local request.
 */
export function changeRefusal(context: Context<WebEnv>, access: AccessPolicy): ChangeRefusal | null {
  if (access.kind === 'socket') return null;
  const refusal = isLocalReload(context, access) ? null : callerRefusal(context, access);
  if (refusal === 'account') return refusal;
  return isForeignOrigin((name) => context.req.header(name), access.tls) ? 'origin' : refusal;
}

/** Checks only the caller. Pages use the result to decide whether to show forms. */
export function callerRefusal(context: Context<WebEnv>, access: AccessPolicy): ChangeRefusal | null {
  if (access.kind === 'socket') return null;
  if (!access.hasAccounts) return 'account';
  return context.get('caller').role === 'change' ? null : 'role';
}

/**
 * A reload without a login over the loopback interface. Requests from other sites' pages (DNS rebinding) and from
 * proxies that identify themselves are excluded.
 */
function isLocalReload(context: Context<WebEnv>, { localReload, hosts }: NetworkAccess): boolean {
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

export function refusalText(refusal: ChangeRefusal, context: Context<WebEnv>, sources: WebSources): string {
  const { name, role } = context.get('caller');
  switch (refusal) {
    case 'account':
      return (
        'Refused: the status page has no accounts, and changes over the network require an account. Add web.users. ' +
        'On this machine, run "ftm-watch reload" or "ftm-watch silence". Programs can use ' +
        `"curl --unix-socket ${sources.controlSocket()} -X POST http://localhost/-/reload"`
      );
    case 'origin':
      return FOREIGN_ORIGIN;
    case 'role':
      return `Refused: "${name ?? ''}" has the role "${role}", but this request requires the role "change"`;
  }
}

/**
 * Refuses requests for host names that an attacker could control (RFC 9110 §15.5.20). Otherwise, an attacker's page
 * could read all data if there are no accounts.
 */
export function refuseForeignNames(hosts: readonly string[]): MiddlewareHandler {
  return async (context, next) => {
    const host = context.req.header('Host');
    if (isOwnName(host, hosts) || isMachineName(host)) {
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

const FOREIGN_ORIGIN = 'Refused: the request comes from a page with a different origin';

/**
 * Browsers send the Origin header (RFC 6454 §7) with every POST request. They also send Sec-Fetch-Site (Fetch Metadata
 * §2.3), which scripts cannot set. Programs such as curl send neither header.
 * @param tls whether the server itself uses TLS; without TLS, a proxy may use it, so that both schemes are possible
 * @internal
 */
export function isForeignOrigin(header: (name: string) => string | undefined, tls: boolean): boolean {
  const origin = header('Origin');
  const isOurs = origin === undefined || isOwnUrl(URL.parse(origin), header('Host'), tls);
  return !isOurs || !['same-origin', 'none'].includes(header('Sec-Fetch-Site') ?? 'none');
}

function isOwnUrl(url: URL | null, host: string | undefined, tls: boolean): boolean {
  return url !== null && url.host === host && (!tls || url.protocol === 'https:');
}

/** Products of the browsers' engines. Other programs rarely use these names. */
const BROWSER = /\b(?:Mozilla|AppleWebKit|Gecko|Chrome|Safari|Opera)\//u;

/**
 * Returns why a GET request is refused if another site's page may have caused it. For these requests, browsers send no
 * Origin header, and over plain HTTP to other machines no Sec-Fetch-Site header either. A page can omit the Referer.
 */
export function pageRefusal(header: (name: string) => string | undefined, tls: boolean): string | null {
  const referer = header('Referer');
  const isOwnPage = referer !== undefined && isOwnUrl(URL.parse(referer), header('Host'), tls);
  if (isForeignOrigin(header, tls) || (referer !== undefined && !isOwnPage)) return FOREIGN_ORIGIN;
  const isHidden = header('Sec-Fetch-Site') === undefined && BROWSER.test(header('User-Agent') ?? '');
  return isHidden && !isOwnPage ? HIDDEN_ORIGIN : null;
}

const HIDDEN_ORIGIN =
  'Refused: over plain HTTP, a browser does not reveal which page sent the request. Use curl, or set web.tls';

/**
 * An attacker can point a domain name at an internal address (DNS rebinding), which makes the attacker's page
 * same-origin. This is not possible with an address, `localhost` or a configured host.
 */
function isOwnName(host: string | undefined, hosts: readonly string[]): boolean {
  const name = nameOf(host);
  return name === 'localhost' || isIP(name) !== 0 || hosts.includes(name);
}

/** The attacker's machine can have any other name in a network, for example through DHCP. */
function isMachineName(host: string | undefined): boolean {
  const machine = hostname().toLowerCase();
  return [machine, machine.replace(/\..*$/u, '')].includes(nameOf(host));
}

/** For example the name of a container. An attacker on the internet cannot register such a name. */
function isSingleLabel(host: string | undefined): boolean {
  return /^[\w-]+$/u.test(nameOf(host));
}

function nameOf(host: string | undefined): string {
  return (host ?? '')
    .toLowerCase()
    .replace(/:\d+$/u, '')
    .replace(/^\[(.*)\]$/u, '$1')
    .replace(/\.$/u, '');
}

/** Packets from other machines never have a loopback address. */
function isLoopback(address: string | undefined): boolean {
  // `process` accepts the address format of dual-stack sockets, such as `::ffff:127.0.0.1`.
  return address !== undefined && isIP(address) !== 0 && ipaddr.process(address).range() === 'loopback';
}

/**
 * Returns a warning for each kind of data that unauthenticated clients can read or change, unless the configuration
 * states that this is intended. Warnings never prevent the daemon from starting.
 */
export function exposureNotes(web: WebConfig): readonly string[] {
  return [
    ...networkNotes(web),
    // This warning cannot be turned off, because a proxy that is installed later would let other machines reload the
    // configuration.
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
