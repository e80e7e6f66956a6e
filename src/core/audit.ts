import type { EpochMs } from './clock.ts';

export const AUDIT_ACTIONS = [
  'add-silence',
  'remove-silence',
  'acknowledge',
  'unacknowledge',
  'comment',
  'attach-capture',
  'reload',
] as const;

/**
 * Reason why a change was refused. `account`: no accounts are configured and the request came over the network. `role`:
 * the account's role does not allow the change. `origin`: a page from a different origin sent the request.
 */
export const CHANGE_REFUSALS = ['account', 'role', 'origin'] as const;

export type ChangeRefusal = (typeof CHANGE_REFUSALS)[number];

/**
 * Result of a login attempt. `limited`: there were too many wrong passwords or pending attempts, so the password was
 * not checked.
 */
export const LOGIN_RESULTS = ['accepted', 'refused', 'limited'] as const;

export type LoginResult = (typeof LOGIN_RESULTS)[number];

/** An audit trail entry for a change that a user made in ftm-watch. */
export interface AuditEntry {
  readonly at: EpochMs;
  readonly action: (typeof AUDIT_ACTIONS)[number];
  /** Account name, as returned by `accountOf`. */
  readonly account: string;
  /** Client address. Null if the request came through the control socket, or if the address is unknown. */
  readonly address: string | null;
  /** ID of the incident if the request was sent from an incident page. Null for other requests. */
  readonly incident: string | null;
  /** Cause to which the silence or the incident applies. Null if the entry applies to all causes or to none. */
  readonly cause: string | null;
  readonly subject: string | null;
  /** Readable details, for example a silence's end, comment or ID. */
  readonly detail: string;
}

export interface KeptAuditEntry extends AuditEntry {
  /** Number of the entry. Later entries have higher numbers. */
  readonly id: number;
}

/** A change that was refused because the account had no permission. */
export type RefusedChange = Pick<AuditEntry, 'at' | 'action' | 'account' | 'address'>;

/** Refused changes that one account requested from one address within one minute. */
export interface RefusedChanges {
  readonly account: string;
  readonly address: string | null;
  readonly first: EpochMs;
  readonly last: EpochMs;
  readonly count: number;
  /** Action that was requested last. */
  readonly action: AuditEntry['action'];
}
