import type { Context } from 'hono';
import { routePath } from 'hono/route';
import type { Login } from './login.ts';
import { foreignOrigin, isCalledByAddress } from './same-origin.ts';

/**
 * Why a request that changes something is refused, in a sentence; null when it may pass. A browser may be made to send it by a page of
 * somebody else's, and without users nothing but the address that it calls tells such a page from our own.
 */
export function changeRefusal(context: Context, login: Login | null): string | null {
  const host = context.req.header('Host');
  const foreign = foreignOrigin({ host, origin: context.req.header('Origin'), fetchSite: context.req.header('Sec-Fetch-Site') });
  if (foreign !== null) return foreign;
  if (login !== null || isCalledByAddress(host)) return null;
  return `Refused: without web.users this must be asked for by address, as in http://127.0.0.1:9843${routePath(context)}`;
}
