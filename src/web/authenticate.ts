import type { Context, MiddlewareHandler } from 'hono';
import type { Logger } from 'pino';
import type { Clock, Millis } from '../core/clock.ts';
import { visibleText } from '../core/visible-text.ts';
import type { Identify } from './identify.ts';
import type { WebEnv } from './web-env.ts';
import type { WebSources } from './sources.ts';

export interface AuthenticateDeps {
  readonly sources: Pick<WebSources, 'noteLogin'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

const MAX_SHOWN_NAME = 64;
/** Logins that were not even looked at are told once in so long. */
const TOLD_EVERY: Millis = 60_000;

/**
 * Lets nobody in who is not identified. Names that were refused are logged: somebody may be trying passwords. How many
 * that can be is bounded by the login's own limit.
 */
export function authenticate(identify: Identify, deps: AuthenticateDeps): MiddlewareHandler<WebEnv> {
  const { sources, clock, logger } = deps;
  const noteTurnedAway = createTurnedAwayLog(clock, logger);
  return async (context, next) => {
    const { incoming } = context.env;
    const from = incoming.socket.remoteAddress;
    const identified = await identify(incoming);
    switch (identified.kind) {
      case 'known':
        sources.noteLogin('accepted');
        context.set('caller', {
          ...identified.identity,
          address: from ?? null,
          isStillKnown: identified.isStillKnown,
        });
        await next();
        return undefined;
      case 'refused':
        // Without credentials it is only told which are needed: browsers ask so first.
        if (incoming.headers.authorization === undefined) return unauthorized(context);
        sources.noteLogin('refused');
        // A wrong token costs nothing to send again and again: it is counted alone.
        if (identified.name !== null)
          logger.warn(
            { user: visibleText(identified.name, MAX_SHOWN_NAME), from },
            'Refused a login to the status page',
          );
        return unauthorized(context);
      case 'later':
        sources.noteLogin('limited');
        noteTurnedAway(from);
        return context.text('Too many logins: try again in a few seconds\n', 429, {
          'Retry-After': String(Math.ceil(identified.retryAfter / 1000)),
        });
    }
  };
}

function unauthorized(context: Context): Response {
  return context.text('A name and a password of web.users, or another of its credentials, are needed\n', 401, {
    'WWW-Authenticate': 'Basic realm="ftm-watch", charset="UTF-8"',
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
