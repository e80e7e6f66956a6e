import type { Context, MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
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
  /** Who shows nothing may read /metrics. */
  readonly opensMetrics: boolean;
  /** `web.hosts`. */
  readonly hosts: readonly string[];
}

const MAX_SHOWN = 100;
const FORWARDED = /^(?:forwarded|x-forwarded-.*|x-real-ip)$/u;

/**
 * Why a request that changes something is refused; null when it may pass. Without users only who is on this machine
 * may: the socket tells, no header does, since anybody can write one. Through a proxy of this machine comes who is not
 * on it. A browser may be made to send it by a page of somebody else's, and without users nothing but the name that it
 * calls tells such a page from our own.
 */
export function changeRefusal(context: Context<WebEnv>, access: AccessPolicy): ChangeRefusal | null {
  if (access.kind === 'socket') return null;
  if (isForeignOrigin((name) => context.req.header(name))) return 'origin';
  return callerRefusal(context, access);
}

/** The same of who asks, wherever the request comes from: whether a page offers it to change something. */
export function callerRefusal(context: Context<WebEnv>, access: AccessPolicy): ChangeRefusal | null {
  if (access.kind === 'socket') return null;
  const { identify, hosts } = access;
  const { role, address } = context.get('caller');
  if (role !== 'change') return 'role';
  if (identify !== null) return null;
  if (!isLoopback(address ?? undefined)) return 'remote';
  if (Object.keys(context.req.header()).some((name) => FORWARDED.test(name))) return 'forwarded';
  return isOwnName(context.req.header('Host'), hosts) ? null : 'name';
}

/** The same in a sentence. */
export function refusalText(refusal: ChangeRefusal, context: Context<WebEnv>): string {
  const { name, role, address } = context.get('caller');
  switch (refusal) {
    case 'origin':
      return FOREIGN_ORIGIN;
    case 'role':
      return `Refused: "${name ?? ''}" has the role "${role}", and this needs the role "change"`;
    case 'remote':
      return (
        'Refused: without web.users only this machine may change anything, at its loopback address, and ' +
        `"${address ?? 'nobody'}" asked: set web.users, or run the command on the machine itself`
      );
    case 'forwarded':
      return (
        'Refused: without web.users only this machine may change anything, and a proxy has forwarded this request: ' +
        'set web.users, or web.proxy'
      );
    case 'name':
      return (
        'Refused: without web.users this must be asked for by address, as in ' +
        `http://127.0.0.1:9843${routePath(context)}`
      );
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
