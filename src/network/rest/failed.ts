import type { Millis } from '../../core/clock.ts';
import type { Failure } from '../../core/observation.ts';
import { failureFrom } from '../failure.ts';
import type { ConnectorContext } from './context.ts';
import { endpointOf } from './https-origin.ts';

/** Turns what was thrown into a failure; `startedAt` is of the monotonic clock. */
export function failed(error: unknown, startedAt: Millis, context: ConnectorContext): Failure {
  return failureFrom(error, context.clock.elapsed() - startedAt, context.signal);
}

/** The failure behind a status that is neither success nor a refusal of the credentials. */
export function statusFailure(url: string, status: number, durationMs: Millis): Failure {
  return {
    kind: 'failed',
    reason: 'rejected',
    message: `${endpointOf(url)} answered HTTP ${String(status)}`,
    durationMs,
  };
}
