import pino from 'pino';
import { systemClock } from '../../../src/system/clock.ts';
import { type HttpServer, startControlServer } from '../../../src/web/http-server.ts';
import type { WebSources } from '../../../src/web/sources.ts';
import { sourcesOf, webState, type WebState } from '../web/web-sources.ts';

/** A control socket that answers. It is removed on disposal. */
export interface ControlBench extends AsyncDisposable {
  readonly state: WebState;
  readonly server: HttpServer;
}

/** @param others sources that are not the given state */
export async function startControl(
  path: string,
  given: Partial<WebState> = {},
  others: Partial<WebSources> = {},
): Promise<ControlBench> {
  const state = webState(given);
  const logger = pino({ level: 'silent' });
  const sources = { ...sourcesOf(state), ...others };
  const server = await startControlServer(path, { sources, clock: systemClock, logger });
  return { state, server, [Symbol.asyncDispose]: () => server.stop() };
}
