import type { Role } from '../config/schema/web.ts';

/** Who asks, as far as that is known. */
export interface Caller {
  /** null: nobody is asked for a name, at the control socket or without users. */
  readonly name: string | null;
  readonly role: Role;
  /** Of the peer; null at the control socket. */
  readonly address: string | null;
  /** Whether the password, token or secret that was shown is still right; asked again while an answer goes on. */
  readonly isStillKnown: () => Promise<boolean>;
}

/**
 * As silences and the audit trail name it. Who is not asked for a name may claim one: it is marked, so that nobody
 * takes it for proven.
 */
export function accountOf({ name }: Caller, claimed: string | null): string {
  if (name !== null) return name;
  return claimed === null ? 'local' : `local (claimed: ${claimed})`;
}
