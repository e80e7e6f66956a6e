import { getConnInfo } from '@hono/node-server/conninfo';
import type { MiddlewareHandler } from 'hono';
import { basicAuth } from 'hono/basic-auth';
import { HTTPException } from 'hono/http-exception';
import type { Logger } from 'pino';
import type { Clock, Millis } from '../core/clock.ts';
import { visibleText } from '../core/visible-text.ts';
import type { Login } from './login.ts';

const MAX_SHOWN_NAME = 64;
/** Logins that were not even looked at are told once in so long. */
const TOLD_EVERY: Millis = 60_000;

/**
 * Basic authentication (RFC 7617). Names that were refused are logged: somebody may be trying passwords. How many that
 * can be is bounded by the login's own limit.
 */
export function authenticate(login: Login, clock: Clock, logger: Logger): MiddlewareHandler {
  const noteTurnedAway = createTurnedAwayLog(clock, logger);
  return basicAuth({
    realm: 'ftm-watch',
    invalidUserMessage: 'A name and a password of web.users are needed\n',
    async verifyUser(name, password, context) {
      const from = getConnInfo(context).remote.address;
      const outcome = await login.check(name, password, from);
      switch (outcome.kind) {
        case 'accepted':
          return true;
        case 'refused':
          logger.warn({ user: visibleText(name, MAX_SHOWN_NAME), from }, 'Refused a login to the status page');
          return false;
        case 'later':
          noteTurnedAway(from);
          throw tooManyLogins(outcome.retryAfter);
      }
    },
  });
}

function createTurnedAwayLog(clock: Clock, logger: Logger): (from: string | undefined) => void {
  let toldAt: Millis | null = null;
  let untold = 0;
  return (from) => {
    untold += 1;
    const now = clock.elapsed();
    if (toldAt !== null && now - toldAt < TOLD_EVERY) return;
    logger.warn(
      { from, turnedAway: untold },
      'Turns logins to the status page away: too many were wrong, or too many wait',
    );
    toldAt = now;
    untold = 0;
  };
}

function tooManyLogins(retryAfter: Millis): HTTPException {
  const headers = { 'Retry-After': String(Math.ceil(retryAfter / 1000)), 'Content-Type': 'text/plain; charset=utf-8' };
  return new HTTPException(429, {
    res: new Response('Too many logins: try again in a few seconds\n', { status: 429, headers }),
  });
}
