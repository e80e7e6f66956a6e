import type { FailureReason } from '../core/observation.ts';

/**
 * How each probe usually fails: only these are at zero from the start, since each costs a series for every target. The
 * rest get a series when they happen.
 */
const USUAL: Readonly<Record<string, readonly FailureReason[]>> = {
  dns: ['timeout', 'refused', 'rejected'],
  tcp: ['timeout', 'refused'],
  tls: ['reset'],
  http: ['closed'],
  mail: ['timeout', 'refused', 'tls', 'rejected'],
  ntp: ['timeout', 'refused'],
};

/** @param probe a source may name others than these */
export function usualFailures(probe: string): readonly FailureReason[] {
  return USUAL[probe] ?? ['timeout'];
}
