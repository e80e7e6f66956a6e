import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Net-SNMP's agent, Debian's package `snmpd`, as an independent peer. */
export interface Snmpd {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Starts snmpd. `access` are lines of snmpd.conf that grant access, `objects` those of its `override`: OID, type,
 * value.
 */
export async function startSnmpd(access: readonly string[], objects: readonly string[]): Promise<Snmpd> {
  const folder = await mkdtemp(join(tmpdir(), 'snmpd-'));
  const port = await freePort();
  const config = join(folder, 'snmpd.conf');
  const overrides = objects.map((object) => `override ${object}`);
  await writeFile(config, [`agentAddress udp:127.0.0.1:${String(port)}`, ...access, ...overrides].join('\n'));
  const snmpd = spawn('snmpd', ['-f', '-Le', '-C', '-c', config, '-I', '-mibII', '-p', join(folder, 'pid')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, SNMP_PERSISTENT_DIR: folder },
  });
  const exited = once(snmpd, 'exit');
  // It prints its version when it has bound the port.
  for await (const line of createInterface(snmpd.stderr)) {
    if (line.includes('NET-SNMP version')) break;
  }
  if (snmpd.exitCode !== null) throw new Error(`snmpd ended with ${String(snmpd.exitCode)}`);
  return {
    host: '127.0.0.1',
    port,
    close: async () => {
      snmpd.kill('SIGTERM');
      await exited;
      await rm(folder, { recursive: true });
    },
  };
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(resolve));
  return port;
}
