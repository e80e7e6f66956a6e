import type { SecretSource } from '../system/secret.ts';

export type MailSecurity = 'starttls' | 'tls' | 'none';

/** A mail server and how to log in to it. */
export interface MailRelay {
  readonly host: string;
  readonly port: number;
  readonly security: MailSecurity;
  readonly user: string | null;
  readonly password: SecretSource | null;
  readonly caFile: string | null;
}
