import type { PollingError } from '../../../src/core/polling/report.ts';

/** Returns the error of two datagrams from FortiAuthenticator, a minute apart, the last one just before `at`. */
export function pollingError(at: number, sample: string, changes: Partial<PollingError> = {}): PollingError {
  const [firstAt, lastAt] = [at - 60_000, at - 1000];
  return {
    signature: sample,
    cause: 'polling-failing',
    severity: 'critical',
    summary: sample,
    remedy: ['x'],
    count: 2,
    groups: [firstAt, lastAt].map((start) => ({ firstAt: start, count: 1 })),
    firstAt,
    lastAt,
    moments: [firstAt, lastAt],
    reliable: false,
    sample,
    ...changes,
  };
}
