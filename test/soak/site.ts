/** The hosts of the soak's site. It is in a separate network namespace, so the addresses may belong to anybody. */
export const LICENSE_ADDRESSES: readonly string[] = ['208.91.114.10', '208.91.114.11'];
/** Address to which the vendor may move it without notice. */
export const MOVED_ADDRESS = '208.91.115.77';
/** Address that a filter returns. */
export const FILTER_ADDRESS = '10.66.0.1';
export const PUSH_HOST = 'push.fortinet.com';
export const PUSH_ADDRESSES: readonly string[] = ['208.91.113.20', '208.91.113.21'];
export const CONTROL_HOST = 'www.iana.org';
export const CONTROL_ADDRESS = '192.0.43.8';
export const MAIL = { address: '10.0.0.25', port: 587 } as const;
/** The administrators' mail server. */
export const INBOX = { address: '10.0.0.26', port: 25 } as const;
export const RESOLVERS = ['10.0.0.53', '10.0.0.54'] as const;
export const APPLIANCE_ADDRESS = '10.0.0.5';
export const FIREWALL_ADDRESS = '10.0.0.1';
export const REGISTRATION_ADDRESS = '10.0.0.60';
/** Where the daemon receives log lines. */
export const SYSLOG = { address: '10.0.0.9', port: 5514 } as const;
/** Of a unit that is neither FortiAuthenticator nor its peer. */
export const OTHER_SERIAL = 'FAC-VM0000000099';

/** All addresses on the loopback interface of the namespace. */
const ADDRESSES: readonly string[] = [
  ...LICENSE_ADDRESSES,
  MOVED_ADDRESS,
  ...PUSH_ADDRESSES,
  CONTROL_ADDRESS,
  MAIL.address,
  INBOX.address,
  ...RESOLVERS,
  APPLIANCE_ADDRESS,
  FIREWALL_ADDRESS,
  REGISTRATION_ADDRESS,
  SYSLOG.address,
];

/** Commands for its namespace. */
export const PUT_UP: string = ADDRESSES.map((address) => `ip addr add ${address}/32 dev lo`).join('\n');
