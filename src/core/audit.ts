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
 * the account's role does not allow the change. `origin`: a page of another origin sent the request.
 */
export const CHANGE_REFUSALS = ['account', 'role', 'origin'] as const;

export type ChangeRefusal = (typeof CHANGE_REFUSALS)[number];

/**
 * Result of a login. `limited`: there were too many wrong passwords or pending attempts, so the password was not
 * checked.
 */
export const LOGIN_RESULTS = ['accepted', 'refused', 'limited'] as const;

export type LoginResult = (typeof LOGIN_RESULTS)[number];

/** A change that a user made with ftm-watch, as an entry in the audit trail. */
export interface AuditEntry {
  readonly at: EpochMs;
  readonly action: (typeof AUDIT_ACTIONS)[number];
  /** The account name, as returned by `accountOf`. */
  readonly account: string;
  /** Address of the client. Null if the request came through the control socket or the address is unknown. */
  readonly address: string | null;
  /** ID of the incident from whose page the request was sent. Null for other requests. */
  readonly incident: string | null;
  /** Cause of a silence or an incident. Null for all causes, or if the entry does not concern a cause. */
  readonly cause: string | null;
  readonly subject: string | null;
  /** Readable details: the end and comment of a silence, the ID of a silence, or a comment. */
  readonly detail: string;
}

export interface KeptAuditEntry extends AuditEntry {
  /** Increases with each entry. */
  readonly id: number;
}

/** A change that was refused because the account had no permission. */
export type RefusedChange = Pick<AuditEntry, 'at' | 'action' | 'account' | 'address'>;

/** The changes without permission that one account requested from one address within one minute. */
export interface RefusedChanges {
  readonly account: string;
  readonly address: string | null;
  readonly first: EpochMs;
  readonly last: EpochMs;
  readonly count: number;
  /** The last requested action. */
  readonly action: AuditEntry['action'];
}
