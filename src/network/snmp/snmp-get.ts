import { createSocket, type Socket, type SocketType } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type * as Snmp from 'net-snmp';
import type { Varbind } from 'net-snmp';
import type { HostPort } from '../../core/addresses.ts';
import { abortError, ProbeError } from '../failure.ts';
import type { Millis } from '../../core/clock.ts';
import { getaddrinfoForSockets } from '../lookup.ts';
import type { SnmpLogin } from './login.ts';

/** Values by OID. Excludes objects that the agent does not support. */
export type SnmpValues = ReadonlyMap<string, number | string>;

/**
 * A wrong SNMPv2c community results in a time-out, because agents do not reply to an unknown community (RFC 1901). If
 * the SNMPv3 user is wrong, the agent returns the reason (RFC 3414 §3.2).
 * @throws {ProbeError | Error} an error whose message never contains a secret
 */
export async function snmpGet(
  target: HostPort,
  login: SnmpLogin,
  oids: readonly string[],
  { signal }: { readonly signal: AbortSignal },
): Promise<SnmpValues> {
  // The library is loaded on demand, to save memory if SNMP is not configured.
  const snmp = await import('net-snmp');
  signal.throwIfAborted();
  const varbinds = await new Promise<readonly Varbind[]>((resolve, reject) => {
    let open = true;
    function end(settle: () => void): void {
      // Closing the session calls the callbacks of pending requests, which would close the session again.
      if (!open) return;
      open = false;
      signal.removeEventListener('abort', onAbort);
      session.close();
      settle();
    }
    function onAbort(): void {
      end(() => reject(abortError(signal)));
    }
    const session = openSnmpSession(snmp, target, login, (error) => end(() => reject(error)));
    signal.addEventListener('abort', onAbort, { once: true });
    // This error means that a datagram is not an SNMP message. The error is ignored, because anyone can send datagrams,
    // and the SNMP reply may still arrive.
    session.on('error', () => undefined);
    session.get([...oids], (error: Error | null, found?: readonly Varbind[]) => {
      end(() => {
        if (error === null) resolve(found ?? []);
        else reject(failureOf(error));
      });
    });
  });
  const { isVarbindError } = snmp;
  return valuesOf(varbinds.filter((varbind) => !isVarbindError(varbind)));
}

/** Maximum length of a string value in bytes. The requested objects do not contain longer values. */
const MAX_TEXT_BYTES = 255;

function valuesOf(varbinds: readonly Varbind[]): SnmpValues {
  const values = new Map<string, number | string>();
  for (const { oid, value } of varbinds) {
    if (typeof value === 'number') values.set(oid, value);
    else if (Buffer.isBuffer(value) && value.length <= MAX_TEXT_BYTES) values.set(oid, value.toString('latin1'));
  }
  return values;
}

/** Maps the library's messages to the reasons in RFC 3414 §3.2. */
const REFUSALS: ReadonlyMap<string, string> = new Map([
  ['Unsupported Security Level', 'authentication and encryption are not enabled for this user'],
  ['Unknown User Name', 'the user is unknown'],
  ['Wrong Digest (incorrect password, community or key)', 'wrong authentication password or protocol'],
  ['Decryption Error', 'wrong encryption password or protocol'],
]);

/** Replaces the library's error message, because that message can contain the community from a reply. */
function failureOf(error: Error): Error {
  const refusal = REFUSALS.get(error.message);
  if (refusal !== undefined) return new ProbeError('rejected', `Cannot log in over SNMP: ${refusal}`);
  switch (error.name) {
    case 'RequestFailedError':
      return new ProbeError('rejected', 'Cannot read over SNMP: the agent replied with an error status');
    case 'ResponseInvalidError':
    case 'RequestInvalidError':
      return new ProbeError('protocol', 'Cannot read over SNMP: the agent sent a message that is not a response');
    case 'RequestTimedOutError':
      return new ProbeError('timeout', 'Cannot read over SNMP: the agent did not reply');
    default:
      return error;
  }
}

const RETRY_AFTER: Millis = 1_000;

/** High enough that the caller's time limit always expires first. */
const RETRIES = 30;

/**
 * The caller closes the session. A host name is resolved to an IPv4 address.
 * @param onError receives socket errors, and errors that the library throws while reading a reply; neither is reported
 * elsewhere
 */
function openSnmpSession(
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
 * net-snmp drops socket errors, such as a failed bind. The library also throws in a listener if an SNMPv3 message
 * arrives in reply to an SNMPv2c request.
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
        onError(
          new ProbeError('protocol', 'Cannot read over SNMP: the agent sent a message that is not a response', {
            cause,
          }),
        );
        return true;
      }
    },
  });
}
