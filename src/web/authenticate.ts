import { getConnInfo } from '@hono/node-server/conninfo';
import type { MiddlewareHandler } from 'hono';
import { basicAuth } from 'hono/basic-auth';
import { HTTPException } from 'hono/http-exception';
import type { Logger } from 'pino';
import { visibleText } from '../core/visible-text.ts';
import type { Login } from './login.ts';

const MAX_SHOWN_NAME = 64;

/** Basic authentication (RFC 7617). Names that were refused are logged: somebody may be trying passwords. */
export function authenticate(login: Login, logger: Logger): MiddlewareHandler {
  return basicAuth({
    realm: 'ftm-watch',
    invalidUserMessage: 'A name and a password of web.users are needed\n',
    async verifyUser(name, password, context) {
      const outcome = await login.check(name, password);
      switch (outcome) {
        case 'accepted':
          return true;
        case 'refused':
          logger.warn(
            { user: visibleText(name, MAX_SHOWN_NAME), from: getConnInfo(context).remote.address },
            'Refused a login to the status page',
          );
          return false;
        case 'busy':
          throw tooManyLogins();
      }
    },
  });
}

function tooManyLogins(): HTTPException {
  const headers = { 'Retry-After': '5', 'Content-Type': 'text/plain; charset=utf-8' };
  return new HTTPException(429, { res: new Response('Too many logins at once: try again in a few seconds\n', { status: 429, headers }) });
}
