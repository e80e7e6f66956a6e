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
 * Why a change was refused: `account`, nobody has an account and the request came over the network; `role`, the account
 * may not; `origin`, a page of another origin asked.
 */
export const CHANGE_REFUSALS = ['account', 'role', 'origin'] as const;

export type ChangeRefusal = (typeof CHANGE_REFUSALS)[number];

/** `limited`: too many were wrong or wait; the password was not looked at. */
export const LOGIN_RESULTS = ['accepted', 'refused', 'limited'] as const;

export type LoginResult = (typeof LOGIN_RESULTS)[number];

/** What somebody changed through ftm-watch: one entry of the audit trail. */
export interface AuditEntry {
  readonly at: EpochMs;
  readonly action: (typeof AUDIT_ACTIONS)[number];
  /** As `accountOf` names it. */
  readonly account: string;
  /** Where it was asked from; null: at the control socket, or not known. */
  readonly address: string | null;
  /** The id of the incident from whose page it was asked for; null: it was not. */
  readonly incident: string | null;
  /** Of a silence or an incident; null: every one, or it is about none. */
  readonly cause: string | null;
  readonly subject: string | null;
  /** For people: the end and the comment of a silence, or its id; a comment. */
  readonly detail: string;
}

/** An entry as it is kept. */
export interface KeptAuditEntry extends AuditEntry {
  /** Rises with each entry. */
  readonly id: number;
}

/** A change that an account asked for and may not make. */
export type RefusedChange = Pick<AuditEntry, 'at' | 'action' | 'account' | 'address'>;

/** What one account asked for from one address within one minute, and may not do. */
export interface RefusedChanges {
  readonly account: string;
  readonly address: string | null;
  readonly first: EpochMs;
  readonly last: EpochMs;
  readonly count: number;
  /** The last one. */
  readonly action: AuditEntry['action'];
}
