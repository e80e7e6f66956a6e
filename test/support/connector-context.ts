import { systemClock, nextTurn } from '../../src/system/clock.ts';
import type { ConnectorContext } from '../../src/network/rest/json-exchange.ts';

/**
 * The context of a connector in a test: the real clock, the secrets of the simulators, aborted by nobody unless told.
 */
export function connectorContext(more: Partial<ConnectorContext> = {}): ConnectorContext {
  return { clock: systemClock, signal: new AbortController().signal, env: {}, ownTurn: nextTurn, ...more };
}
