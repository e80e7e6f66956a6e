import type { MailServerConfig } from './section.ts';

export interface Recipients {
  readonly mail: readonly MailServerConfig[];
  readonly notify: { readonly email: { readonly to: readonly string[] } | null };
}

const MOST_DOMAINS = 3;

/** Of the addresses that the configuration names: those that FortiAuthenticator writes to are not known. */
export function recipientDomains({ mail, notify }: Recipients): readonly string[] {
  const addresses = [...mail.map(({ to }) => to), ...(notify.email?.to ?? [])];
  const domains = addresses.flatMap((address) => /@([^@[\]]+)$/u.exec(address ?? '')?.[1]?.toLowerCase() ?? []);
  return [...new Set(domains)].slice(0, MOST_DOMAINS);
}
