import { getConnInfo } from '@hono/node-server/conninfo';
import type { Context, MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
import { visibleText } from '../core/visible-text.ts';
import type { Login } from './login.ts';
import { isLoopback } from './loopback.ts';
import { foreignOrigin, isLocalName, isOwnName } from './same-origin.ts';

/** Who may ask, and what tells our own page from one of somebody else's that uses the browser of an administrator. */
export type AccessPolicy =
  /** At the control socket: whom the operating system lets open it may do everything. */
  { readonly kind: 'socket' } | NetworkAccess;

export interface NetworkAccess {
  readonly kind: 'network';
  /** null: everybody may come in. */
  readonly login: Login | null;
  /** `web.hosts`. */
  readonly hosts: readonly string[];
}

const MAX_SHOWN = 100;

/**
 * Why a request that changes something is refused, in a sentence; null when it may pass. Without users only who is on
 * this machine may: the socket tells, no header does, since anybody can write one. A browser may be made to send it by
 * a page of somebody else's, and without users nothing but the name that it calls tells such a page from our own.
 */
export function changeRefusal(context: Context, access: AccessPolicy): string | null {
  if (access.kind === 'socket') return null;
  const { login, hosts } = access;
  const host = context.req.header('Host');
  const foreign = foreignOrigin((name) => context.req.header(name));
  if (foreign !== null) return foreign;
  if (login !== null) return null;
  const { address } = getConnInfo(context).remote;
  if (!isLoopback(address))
    return (
      'Refused: without web.users only this machine may change anything, at its loopback address, and ' +
      `"${address ?? 'nobody'}" asked: set web.users, or run the command on the machine itself`
    );
  if (isOwnName(host, hosts)) return null;
  return (
    'Refused: without web.users this must be asked for by address, as in ' +
    `http://127.0.0.1:9843${routePath(context)}`
  );
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
