import type { ApplianceFacts, SystemFacts } from '../../../src/core/license/appliance.ts';

/** Returns the facts of a healthy appliance, for tests of judges. */
export function applianceFacts(
  more: Partial<Omit<ApplianceFacts, 'system'>> & { readonly system?: Partial<SystemFacts> } = {},
): ApplianceFacts {
  const { system, ...rest } = more;
  return {
    kind: 'ok',
    appliance: 'fac-1',
    endpoint: '10.0.0.5:443',
    licensed: { kind: 'read', value: { total: 32, used: 2, available: 30 } },
    tokens: {
      kind: 'read',
      value: {
        total: 32,
        byStatus: { new: 0, available: 30, pending: 0, assigned: 2, other: 0 },
        byLicense: [{ license: 'EFTM000000000001', tokens: 32 }],
        locked: { new: 0, available: 0, pending: 0, assigned: 0, other: 0 },
        withoutLicense: 0,
      },
    },
    provisioning: { kind: 'read', value: { host: 'fortitokenmobile.fortinet.com', port: 443, codeLife: 3_600_000 } },
    mailServers: { kind: 'read', value: [] },
    sms: { kind: 'absent' },
    clock: null,
    ...rest,
    system: {
      serial: 'FAC-A',
      peerSerial: null,
      firmware: 'FACVMKVM v8.0.3, build0099 (GA)',
      tokensPopulated: 32,
      memoryKb: 4_032_452,
      load: { cpu: 0, memory: 0.64, disk: 0 },
      ...system,
    },
  };
}
