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
 * Why a change was refused. `account`: no accounts are set up and the request came over the network. `role`: the
 * account's role does not allow it. `origin`: the request came from a page of another origin.
 */
export const CHANGE_REFUSALS = ['account', 'role', 'origin'] as const;

export type ChangeRefusal = (typeof CHANGE_REFUSALS)[number];

/** `limited`: too many wrong passwords or pending attempts, so the password was not checked. */
export const LOGIN_RESULTS = ['accepted', 'refused', 'limited'] as const;

export type LoginResult = (typeof LOGIN_RESULTS)[number];

/** A change that somebody made through ftm-watch: one entry of the audit trail. */
export interface AuditEntry {
  readonly at: EpochMs;
  readonly action: (typeof AUDIT_ACTIONS)[number];
  /** In the form that `accountOf` returns. */
  readonly account: string;
  /** Address of the client. Null if the request came through the control socket, or if the address is unknown. */
  readonly address: string | null;
  /** Id of the incident whose page sent the request. Null if it was not sent from such a page. */
  readonly incident: string | null;
  /** Cause of a silence or an incident. Null if all causes are meant, or if the entry concerns none. */
  readonly cause: string | null;
  readonly subject: string | null;
  /** Text for people: end and comment of a silence, or its id; or a comment. */
  readonly detail: string;
}

export interface KeptAuditEntry extends AuditEntry {
  /** Increases with each entry. */
  readonly id: number;
}

/** A change that an account requested without permission. */
export type RefusedChange = Pick<AuditEntry, 'at' | 'action' | 'account' | 'address'>;

/** The changes that one account requested from one address within one minute without permission. */
export interface RefusedChanges {
  readonly account: string;
  readonly address: string | null;
  readonly first: EpochMs;
  readonly last: EpochMs;
  readonly count: number;
  /** The last one requested. */
  readonly action: AuditEntry['action'];
}
