import { createSocket, type Socket, type SocketType } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type * as Snmp from 'net-snmp';
import type { HostPort } from '../../core/authority.ts';
import type { Millis } from '../../core/clock.ts';
import { ProbeError } from '../failure.ts';
import { getaddrinfoForSockets } from '../getaddrinfo.ts';

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

/**
 * To be closed by the caller. A host name is looked up for IPv4.
 * @param snmp the library, loaded where something is read over SNMP only
 * @param onError a failure of the socket, or one inside the library that an answer causes: nothing else reports them
 */
export function openSnmpSession(
  snmp: typeof Snmp,
  target: HostPort,
  login: SnmpLogin,
  onError: (error: Error) => void,
): Snmp.Session {
  const options = {
    port: target.port,
    transport: isIPv6(target.host) ? 'udp6' : 'udp4',
    retries: RETRIES,
    timeout: RETRY_AFTER,
    dgramModule: { createSocket: (type: SocketType) => createGuardedSocket(type, onError) },
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

/**
 * net-snmp drops errors of its socket, such as a bind that fails, and throws in a listener when an SNMPv2c request is
 * answered with an SNMPv3 message.
 */
function createGuardedSocket(type: SocketType, onError: (error: Error) => void): Socket {
  const socket = createSocket({
    type,
    lookup: (name, options, done) =>
      getaddrinfoForSockets(name, options, (error, address, family = 0) =>
        done(error, typeof address === 'string' ? address : '', family),
      ),
  });
  socket.on('error', onError);
  const emit = socket.emit.bind(socket);
  return Object.assign(socket, {
    emit: (...event: Parameters<typeof emit>) => {
      try {
        return emit(...event);
      } catch (cause) {
        onError(new ProbeError('protocol', 'Cannot read over SNMP: expected the answer to the request', { cause }));
        return true;
      }
    },
  });
}
