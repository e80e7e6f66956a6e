import { isIPv6 } from 'node:net';
import type { Session } from 'net-snmp';
import type { HostPort } from '../../core/authority.ts';
import type { Millis } from '../../core/clock.ts';

export const SNMP_AUTH_PROTOCOLS = ['md5', 'sha', 'sha224', 'sha256', 'sha384', 'sha512'] as const;
/** As RFC 3826 and, for 256 bits, draft-reeder-snmpv3-usm-3desede-00, which most agents follow. */
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

/** Between two tries of the same request. */
const RETRY_AFTER: Millis = 1_000;

/** More than fit into any deadline: the caller's signal decides. */
const RETRIES = 30;

/** To be closed by the caller. A host name is looked up for IPv4. */
export async function openSnmpSession(target: HostPort, login: SnmpLogin): Promise<Session> {
  // Who reads nothing over SNMP is spared its memory.
  const snmp = await import('net-snmp');
  const options = {
    port: target.port,
    transport: isIPv6(target.host) ? 'udp6' : 'udp4',
    retries: RETRIES,
    timeout: RETRY_AFTER,
  } as const;
  if (login.kind === 'community')
    return snmp.createSession(target.host, login.community, { ...options, version: snmp.Version2c });
  const { aes, aes256r } = snmp.PrivProtocols;
  return snmp.createV3Session(
    target.host,
    {
      name: login.user,
      level: snmp.SecurityLevel.authPriv,
      authProtocol: snmp.AuthProtocols[login.authProtocol],
      authKey: login.authPassword,
      privProtocol: login.privProtocol === 'aes' ? aes : aes256r,
      privKey: login.privPassword,
    },
    { ...options, version: snmp.Version3 },
  );
}
