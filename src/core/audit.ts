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
 * `account`: no accounts are configured and the request came over the network. `origin`: a page from a different origin
 * sent the request.
 */
export const CHANGE_REFUSALS = ['account', 'role', 'origin'] as const;

export type ChangeRefusal = (typeof CHANGE_REFUSALS)[number];

/** `limited`: there were too many wrong passwords or pending attempts, so the password was not checked. */
export const LOGIN_RESULTS = ['accepted', 'refused', 'limited'] as const;

export type LoginResult = (typeof LOGIN_RESULTS)[number];

export interface AuditEntry {
  readonly at: EpochMs;
  readonly action: (typeof AUDIT_ACTIONS)[number];
  /** Account name, as returned by `accountOf`. */
  readonly account: string;
  /** Null if the request came through the control socket, or if the address is unknown. */
  readonly address: string | null;
  /** Null if the request was not sent from an incident page. */
  readonly incident: string | null;
  /** Null if the entry applies to all causes or to none. */
  readonly cause: string | null;
  readonly subject: string | null;
  /** For example, a silence's end, comment or ID. */
  readonly detail: string;
}

export interface KeptAuditEntry extends AuditEntry {
  readonly id: number;
}

export type RefusedChange = Pick<AuditEntry, 'at' | 'action' | 'account' | 'address'>;

/** Refused changes by one account from one address within one minute. */
export interface RefusedChanges {
  readonly account: string;
  readonly address: string | null;
  readonly first: EpochMs;
  readonly last: EpochMs;
  readonly count: number;
  readonly action: AuditEntry['action'];
}
