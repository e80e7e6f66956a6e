/** The hosts on the lab's network. */
export const LICENSE_HOST = 'fortitokenmobile.fortinet.com';
export const CONTROL_HOSTS: readonly string[] = ['www.fortinet.com', 'www.iana.org'];
export const MAIL_HOST = 'mail.example.org';
/** FortiAuthenticator's login at its mail server. */
export const MAIL_LOGIN = { user: 'fac', password: 'smtp-password' } as const;
export const LICENSE = 'EFTM000000000001';
/** The unit that answers, and its peer before the migration. */
export const SERIALS = { unit: 'FAC-VM0000000001', peer: 'FAC-VM0000000002' } as const;
