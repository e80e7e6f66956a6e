import { isIPv6 } from 'node:net';
import type { Varbind } from 'net-snmp';
import type { HostPort } from '../../core/authority.ts';
import type { Millis } from '../../core/clock.ts';
import { ProbeError } from '../failure.ts';

/** What a variable holds; objects that the agent does not have are left out. */
export type SnmpValues = ReadonlyMap<string, number | string>;

export interface SnmpContext {
  /** Ends the exchange: nothing waits longer. */
  readonly signal: AbortSignal;
}

/** Between two tries of the same request. */
const RETRY_AFTER: Millis = 1_000;

/** More than fit into any deadline: the signal decides. */
const RETRIES = 30;

/**
 * One SNMPv2c GET. An agent that does not know the community is silent by protocol (RFC 1901), so that a wrong one
 * shows as a time-out. A host name is looked up for IPv4.
 * @throws {ProbeError | Error} never with the community in the message
 */
export async function snmpGet(
  target: HostPort,
  community: string,
  oids: readonly string[],
  context: SnmpContext,
): Promise<SnmpValues> {
  // Who reads nothing over SNMP is spared its memory.
  const { createSession, isVarbindError, Version2c } = await import('net-snmp');
  const varbinds = await new Promise<readonly Varbind[]>((resolve, reject) => {
    const { signal } = context;
    signal.throwIfAborted();
    const session = createSession(target.host, community, {
      version: Version2c,
      port: target.port,
      transport: isIPv6(target.host) ? 'udp6' : 'udp4',
      retries: RETRIES,
      timeout: RETRY_AFTER,
    });
    let open = true;
    function close(): boolean {
      if (!open) return false;
      // Closing calls back for what is under way, which would close again.
      open = false;
      signal.removeEventListener('abort', onAbort);
      session.close();
      return true;
    }
    function onAbort(): void {
      if (close())
        reject(signal.reason instanceof Error ? signal.reason : new Error('Aborted', { cause: signal.reason }));
    }
    signal.addEventListener('abort', onAbort, { once: true });
    // A datagram that is no SNMP message: anybody can send one, and the answer may still come.
    session.on('error', () => undefined);
    session.get([...oids], (error: Error | null, found?: readonly Varbind[]) => {
      if (!close()) return;
      if (error === null) resolve(found ?? []);
      else reject(withoutCommunity(error));
    });
  });
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

/** The library quotes the community when the answer has another one. */
function withoutCommunity(error: Error): Error {
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
