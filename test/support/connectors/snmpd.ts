import { createSocket } from 'node:dgram';
import { join } from 'node:path';
import { startProgram, type StartedProgram } from '../process/start-program.ts';

/** Net-SNMP's agent, Debian's package `snmpd`, as an independent peer. */
export interface Snmpd extends StartedProgram {
  readonly host: string;
  readonly port: number;
}

/**
 * Starts snmpd. `access` are lines of snmpd.conf that grant access, `objects` those of its `override`: OID, type,
 * value.
 */
export async function startSnmpd(access: readonly string[], objects: readonly string[]): Promise<Snmpd> {
  const port = await freePort();
  const overrides = objects.map((object) => `override ${object}`);
  const program = await startProgram((folder) => ({
    command: `snmpd -f -Le -C -c ${join(folder, 'snmpd.conf')} -I -mibII -p ${join(folder, 'pid')}`.split(' '),
    config: { 'snmpd.conf': [`agentAddress udp:127.0.0.1:${String(port)}`, ...access, ...overrides].join('\n') },
    env: { SNMP_PERSISTENT_DIR: folder },
    // It prints its version when it has bound the port.
    readyWhen: (output) => output.includes('NET-SNMP version'),
    stop: 'SIGTERM',
  }));
  return { ...program, host: '127.0.0.1', port };
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(resolve));
  return port;
}
