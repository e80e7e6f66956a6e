/** The hosts of the soak's site. It is in a separate network namespace, so the addresses may belong to anybody. */
export const LICENSE_HOST = 'fortitokenmobile.fortinet.com';
export const LICENSE_ADDRESSES: readonly string[] = ['208.91.114.10', '208.91.114.11'];
/** Address to which the vendor may move it without notice. */
export const MOVED_ADDRESS = '208.91.115.77';
/** Address that a filter returns. */
export const FILTER_ADDRESS = '10.66.0.1';
export const PUSH_HOST = 'push.fortinet.com';
export const PUSH_ADDRESSES: readonly string[] = ['208.91.113.20', '208.91.113.21'];
export const CONTROLS: Readonly<Record<string, string>> = { 'www.iana.org': '192.0.43.8' };
export const MAIL_HOST = 'mail.example.org';
export const MAIL_ADDRESS = '10.0.0.25';
export const MAIL_PORT = 587;
export const MAIL_LOGIN = { user: 'fac', password: 'smtp-password' } as const;
export const INBOX_ADDRESS = '10.0.0.26';
export const RESOLVERS: readonly string[] = ['10.0.0.53', '10.0.0.54'];
export const APPLIANCE_ADDRESS = '10.0.0.5';
export const FIREWALL_ADDRESS = '10.0.0.1';
export const REGISTRATION_ADDRESS = '10.0.0.60';
/** Where the daemon receives log lines. */
export const SYSLOG = { address: '10.0.0.9', port: 5514 } as const;
export const LICENSE = 'EFTM000000000001';
export const SERIALS = { unit: 'FAC-VM0000000001', peer: 'FAC-VM0000000002', stranger: 'FAC-VM0000000099' } as const;

/** All addresses on the loopback interface of the namespace. */
export const ADDRESSES: readonly string[] = [
  ...LICENSE_ADDRESSES,
  MOVED_ADDRESS,
  ...PUSH_ADDRESSES,
  ...Object.values(CONTROLS),
  MAIL_ADDRESS,
  INBOX_ADDRESS,
  ...RESOLVERS,
  APPLIANCE_ADDRESS,
  FIREWALL_ADDRESS,
  REGISTRATION_ADDRESS,
  SYSLOG.address,
];
