import type { Failure, FailureReason } from '../../../src/core/observation.ts';
import { MINUTE } from '../../support/checks/polling-report.ts';

export const TARGET = 'fortitokenmobile.fortinet.com:443';
export const A = '173.243.138.84';
export const B = '173.243.138.85';
export const HOUR = 60 * MINUTE;

export const failure = (reason: FailureReason, message = 'the text of the system'): Failure => ({
  kind: 'failed',
  reason,
  message,
  durationMs: 3001,
});

/** Every way in which a connection can fail. */
export const REASONS = [
  'timeout',
  'refused',
  'reset',
  'closed',
  'no-route',
  'rejected',
  'tls',
  'aborted',
  'internal',
] as const;
