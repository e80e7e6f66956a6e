/**
 * `blocked`: something it depends on is broken. `unknown`: could not be judged, our own trouble included.
 */
export type PreconditionState = 'ok' | 'warning' | 'broken' | 'blocked' | 'unknown' | 'not-configured';

export const PRECONDITION_STATES: readonly PreconditionState[] = [
  'ok',
  'warning',
  'broken',
  'blocked',
  'unknown',
  'not-configured',
];
