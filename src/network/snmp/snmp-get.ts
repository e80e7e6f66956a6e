import type { Varbind } from 'net-snmp';
import type { HostPort } from '../../core/authority.ts';
import { abortError, ProbeError } from '../failure.ts';
import { openSnmpSession, type SnmpLogin } from './snmp-session.ts';

/** What a variable holds; objects that the agent does not have are left out. */
export type SnmpValues = ReadonlyMap<string, number | string>;

export interface SnmpContext {
  /** Ends the exchange: nothing waits longer. */
  readonly signal: AbortSignal;
}

/**
 * One GET. An agent that does not know the community is silent by protocol (RFC 1901), so that a wrong one shows as a
 * time-out; a user is refused with a reason (RFC 3414 §3.2).
 * @throws {ProbeError | Error} never with a secret in the message
 */
export async function snmpGet(
  target: HostPort,
  login: SnmpLogin,
  oids: readonly string[],
  context: SnmpContext,
): Promise<SnmpValues> {
  // Who reads nothing over SNMP is spared its memory.
  const snmp = await import('net-snmp');
  const { signal } = context;
  signal.throwIfAborted();
  const varbinds = await new Promise<readonly Varbind[]>((resolve, reject) => {
    let open = true;
    function end(settle: () => void): void {
      // Closing calls back for what is under way, which would close again.
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
    // A datagram that is no SNMP message: anybody can send one, and the answer may still come.
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

/** Longer texts are none of ours. */
const MAX_TEXT_BYTES = 255;

function valuesOf(varbinds: readonly Varbind[]): SnmpValues {
  const values = new Map<string, number | string>();
  for (const { oid, value } of varbinds) {
    if (typeof value === 'number') values.set(oid, value);
    else if (Buffer.isBuffer(value) && value.length <= MAX_TEXT_BYTES) values.set(oid, value.toString('latin1'));
  }
  return values;
}

/** Of RFC 3414 §3.2, by what the library calls them. */
const REFUSALS: ReadonlyMap<string, string> = new Map([
  ['Unsupported Security Level', 'it does not take authentication and encryption for this user'],
  ['Unknown User Name', 'it does not know the user'],
  ['Wrong Digest (incorrect password, community or key)', 'wrong authentication password or protocol'],
  ['Decryption Error', 'wrong encryption password or protocol'],
]);

/** The library quotes the community when the answer has another one. */
function failureOf(error: Error): Error {
  const refusal = REFUSALS.get(error.message);
  if (refusal !== undefined) return new ProbeError('rejected', `Cannot log in over SNMP: ${refusal}`);
  switch (error.name) {
    case 'RequestFailedError':
      return new ProbeError('rejected', 'Cannot read over SNMP: the agent answered with an error status');
    case 'ResponseInvalidError':
    case 'RequestInvalidError':
      return new ProbeError('protocol', 'Cannot read over SNMP: expected the answer to the request');
    case 'RequestTimedOutError':
      return new ProbeError('timeout', 'Cannot read over SNMP: no answer');
    default:
      return error;
  }
}
