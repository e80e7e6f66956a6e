import { deadline } from '../../system/clock.ts';
import type { SnmpConfig } from './section.ts';
import type { Millis } from '../../core/clock.ts';
import { haRoleOf, type HaRoleFacts, type HaRoleObservation } from '../../core/license/ha-role.ts';
import { ProbeError } from '../../network/failure.ts';
import type { ConnectorContext } from '../../network/rest/context.ts';
import { failed } from '../../network/rest/failed.ts';
import { secretOf } from '../../network/rest/secret.ts';
import { serialNumber } from '../../network/rest/serial-number.ts';
import { snmpGet, type SnmpValues } from '../../network/snmp/snmp-get.ts';
import type { SnmpLogin } from '../../network/snmp/snmp-session.ts';
import { lenientCount } from '../../network/rest/lenient-number.ts';
import { visibleText } from '../../core/visible-text.ts';

/**
 * FORTINET-FORTIAUTHENTICATOR-MIB, 2020-04-16, instance 0 of each scalar; all of them stand below facSystem,
 * 1.3.6.1.4.1.12356.113.1 (the compiled MIB; Checkmk and Centreon ask for the same).
 */
const OBJECTS = {
  facSysSerial: '1.3.6.1.4.1.12356.113.1.2.0',
  facSysVersion: '1.3.6.1.4.1.12356.113.1.3.0',
  facHaCurrentStatus: '1.3.6.1.4.1.12356.113.1.201.1.0',
  facFortiTokenCount: '1.3.6.1.4.1.12356.113.1.202.3.0',
  facFortiTokenRemaining: '1.3.6.1.4.1.12356.113.1.202.6.0',
} as const;

/** UDP loses packets: the request is repeated within this time. */
const SNMP_TIMEOUT: Millis = 5_000;

/**
 * Asks one appliance over SNMP what it is. Never throws: what went wrong is part of the observation.
 */
export async function observeHaRole(
  appliance: { readonly name: string; readonly snmp: SnmpConfig },
  context: ConnectorContext,
): Promise<HaRoleObservation> {
  const startedAt = context.clock.elapsed();
  using limit = deadline(context.clock, SNMP_TIMEOUT, context.signal);
  try {
    const login = await loginOf(appliance.snmp, context);
    const values = await snmpGet(appliance.snmp, login, Object.values(OBJECTS), limit);
    const status = values.get(OBJECTS.facHaCurrentStatus);
    const role = typeof status === 'number' ? haRoleOf(status) : null;
    if (role === null) throw new ProbeError('protocol', 'Cannot read the HA role: expected a value that the MIB names');
    return { kind: 'ok', appliance: appliance.name, role, ...identityOf(values), tokens: tokensOf(values) };
  } catch (error) {
    return { appliance: appliance.name, ...failed(error, startedAt, context) };
  }
}

async function loginOf(snmp: SnmpConfig, context: ConnectorContext): Promise<SnmpLogin> {
  const { community, user, authPassword, privPassword, authProtocol, privProtocol } = snmp;
  if (community !== null) return { kind: 'community', community: await secretOf(community, context) };
  if (user === null || authPassword === null || privPassword === null)
    throw new TypeError('Cannot log in over SNMP: expected a community, or a user with two passwords');
  return {
    kind: 'user',
    user,
    authProtocol: authProtocol ?? 'sha',
    authPassword: await secretOf(authPassword, context),
    privProtocol: privProtocol ?? 'aes',
    privPassword: await secretOf(privPassword, context),
  };
}

function identityOf(values: SnmpValues): Pick<HaRoleFacts, 'serial' | 'firmware'> {
  const serial = serialNumber.safeParse(values.get(OBJECTS.facSysSerial));
  const firmware = values.get(OBJECTS.facSysVersion);
  return {
    serial: serial.success ? serial.data : null,
    firmware: typeof firmware === 'string' ? visibleText(firmware, 80) : null,
  };
}

function tokensOf(values: SnmpValues): HaRoleFacts['tokens'] {
  const count = lenientCount(values.get(OBJECTS.facFortiTokenCount));
  const remaining = lenientCount(values.get(OBJECTS.facFortiTokenRemaining));
  return count === null || remaining === null ? null : { count, remaining };
}
