import type { FailureReason, TlsOutcome } from './observation.ts';

export type BlockedOutcome = Extract<TlsOutcome, { readonly kind: 'failed' }>;

/** `cut`: reset, closed, or ended by an alert; `silence`: nothing came. */
export type Ending = 'cut' | 'silence';

const BLOCKING: ReadonlySet<FailureReason> = new Set<FailureReason>([
  'timeout',
  'reset',
  'closed',
  'tls',
  'protocol',
  'rejected',
]);

/** Ended before any certificate, by somebody else than us. */
export function isBlocked(outcome: TlsOutcome | null): outcome is BlockedOutcome {
  return outcome?.kind === 'failed' && outcome.chain === null && BLOCKING.has(outcome.reason);
}

export function endingOf({ reason }: BlockedOutcome): Ending {
  return reason === 'timeout' ? 'silence' : 'cut';
}
