import { systemClock, nextTurn } from '../../../src/system/clock.ts';
import type { ConnectorContext } from '../../../src/network/rest/json-exchange.ts';

/** Returns a connector context for tests: the real clock, the simulators' secrets, and no abort by default. */
export function connectorContext(more: Partial<ConnectorContext> = {}): ConnectorContext {
  return { clock: systemClock, signal: new AbortController().signal, env: {}, ownTurn: nextTurn, ...more };
}
