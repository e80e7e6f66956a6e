import { systemClock } from '../../src/clock.ts';
import type { ConnectorContext } from '../../src/connectors/context.ts';
import type { Clock } from '../../src/core/clock.ts';

/** The context of a connector in a test: the real clock, the secrets of the simulators, aborted by nobody unless told. */
export function connectorContext(more: Partial<ConnectorContext> = {}): ConnectorContext {
  return { clock: systemClock, signal: new AbortController().signal, env: {}, ...more };
}

/** The real clock, on which every wait is `factor` times as short: a time-out of the product need not be waited for. */
export function hurriedClock(factor: number): Clock {
  return { ...systemClock, after: (delay, callback) => systemClock.after(delay / factor, callback) };
}
