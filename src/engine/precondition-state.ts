/**
 * `blocked`: something it depends on is broken. `unknown`: could not be judged, our own trouble included.
 */
export type PreconditionState = (typeof PRECONDITION_STATES)[number];

export const PRECONDITION_STATES = ['ok', 'warning', 'broken', 'blocked', 'unknown', 'not-configured'] as const;
