import type { Context, MiddlewareHandler } from 'hono';
import type { ChangeRefusal } from '../core/audit.ts';
import { visibleText } from '../core/visible-text.ts';
import type { Identify } from './identify.ts';
import { isLoopback } from './loopback.ts';
import { FOREIGN_ORIGIN, isForeignOrigin, isLocalName, isOwnName } from './same-origin.ts';
import type { WebEnv } from './web-env.ts';

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
