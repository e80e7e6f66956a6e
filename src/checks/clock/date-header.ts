import type { Millis } from '../../core/clock.ts';
import type { ClockObservation, HttpOutcome } from '../../core/observation.ts';

/** A `Date` header is cut to whole seconds (RFC 9110 §5.6.7), so the time meant is half a second later on average. */
const HALF_SECOND: Millis = 500;

/**
 * Reads the time of a server out of an HTTP answer. The header was written at some moment between the request and its
 * arrival: the middle is assumed.
 * @param source `host:port`
 */
export function observeDateHeader(source: string, http: HttpOutcome): ClockObservation {
  return { source, protocol: 'http', outcome: outcomeOf(http) };
}

function outcomeOf(http: HttpOutcome): ClockObservation['outcome'] {
  switch (http.kind) {
    case 'failed':
      return http;
    case 'client-certificate-demanded':
      return {
        kind: 'failed',
        reason: 'rejected',
        message: 'The server demands a client certificate',
        durationMs: http.durationMs,
      };
    case 'response': {
      const { date, receivedAt, durationMs } = http;
      if (date === null)
        return { kind: 'failed', reason: 'protocol', message: 'The answer has no readable Date header', durationMs };
      const half = durationMs / 2;
      return { kind: 'offset', offsetMs: date + HALF_SECOND - (receivedAt - half), precisionMs: HALF_SECOND + half };
    }
  }
}
