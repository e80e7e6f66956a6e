export const SNMP_AUTH_PROTOCOLS = ['md5', 'sha', 'sha224', 'sha256', 'sha384', 'sha512'] as const;
/** `aes` is defined in RFC 3826. For `aes256`, most agents implement draft-reeder-snmpv3-usm-3desede-00. */
export const SNMP_PRIV_PROTOCOLS = ['aes', 'aes256'] as const;

/** A community (SNMPv2c), or a user whose messages are authenticated and encrypted (SNMPv3 authPriv, RFC 3414). */
export type SnmpLogin =
  | { readonly kind: 'community'; readonly community: string }
  | {
      readonly kind: 'user';
      readonly user: string;
      readonly authProtocol: (typeof SNMP_AUTH_PROTOCOLS)[number];
      readonly authPassword: string;
      readonly privProtocol: (typeof SNMP_PRIV_PROTOCOLS)[number];
      readonly privPassword: string;
    };
