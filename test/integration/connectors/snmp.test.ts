import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ConnectorContext } from '../../../src/network/rest/json-exchange.ts';
import { observeHaRole } from '../../../src/connectors/appliances.ts';
import type { HaRoleObservation, haRoleOf } from '../../../src/core/license/appliance.ts';
import { createSnmpAgent, type SnmpAgent, type SnmpFault } from '../../support/connectors/snmp-agent.ts';
import { connectorContext } from '../../support/connectors/connector-context.ts';
import { idleClock } from '../../support/time/idle-clock.ts';
import { type MibChanges, mibOverrides, mibValues } from '../../support/connectors/fortiauthenticator-mib.ts';
import type { SnmpConfig } from '../../../src/config/schema/watched.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { freePort } from '../../support/network/free-port.ts';
import { startProgram, type StartedProgram } from '../../support/process/start-program.ts';

/** Net-SNMP's agent, Debian's package `snmpd`, as an independent peer. */
interface Snmpd extends StartedProgram {
  readonly host: string;
  readonly port: number;
}

/**
 * Starts snmpd. `access` are lines of snmpd.conf that grant access, `objects` those of its `override`: OID, type,
 * value.
 */
async function startSnmpd(access: readonly string[], objects: readonly string[]): Promise<Snmpd> {
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

type HaRole = NonNullable<ReturnType<typeof haRoleOf>>;

const COMMUNITY = 'read-only-word';

const WITHOUT_LOGIN = {
  community: null,
  user: null,
  authPassword: null,
  authProtocol: null,
  privPassword: null,
  privProtocol: null,
} as const;

const SERIAL = 'FAC-VMTM1234567890';

function start(changes: MibChanges): Promise<SnmpAgent> {
  return createSnmpAgent({ community: COMMUNITY, objects: mibValues(changes) });
}

function observe(
  agent: { readonly host: string; readonly port: number },
  community: string = COMMUNITY,
  context: Partial<ConnectorContext> = {},
): Promise<HaRoleObservation> {
  const snmp = { ...WITHOUT_LOGIN, ...agent, community: { kind: 'env', name: 'COMMUNITY' } } as const;
  return observeHaRole({ name: 'fac-1', snmp }, connectorContext({ env: { COMMUNITY: community }, ...context }));
}

describe('observeHaRole', () => {
  it.each<[string, number | string | null]>([
    ['a value that the MIB does not name', 6],
    ['a text', 'clusterPrimary'],
    ['nothing', null],
  ])('does not take %s for a role', async (_, facHaCurrentStatus) => {
    await using agent = await start({ facHaCurrentStatus });
    expect(await observe(agent)).toMatchObject({ kind: 'failed', appliance: 'fac-1', reason: 'protocol' });
  });

  it('asks again when a packet is lost', async () => {
    await using agent = await start({ facHaCurrentStatus: 2 });
    agent.setFault('lose-first');
    expect(await observe(agent)).toMatchObject({ kind: 'ok', role: 'cluster-primary' });
    expect(agent.requests()).toBe(2);
  });

  it.each<[SnmpFault, string]>([
    ['silent', 'timeout'],
    // Listeners of network/snmp/snmp-get.ts: on error
    ['garbage', 'timeout'],
    ['error-status', 'rejected'],
    ['wrong-community', 'protocol'],
    // The library throws in a listener on its socket.
    ['other-version', 'protocol'],
  ])('gives up on an agent that is %s, and never tells the community', async (fault, reason) => {
    await using agent = await start({ facHaCurrentStatus: 2 });
    agent.setFault(fault);
    const observation = await observe(agent, COMMUNITY, { clock: idleClock() });
    expect(observation).toMatchObject({ kind: 'failed', reason });
    expect(JSON.stringify(observation)).not.toContain(COMMUNITY);
  });

  it('sees a wrong community as silence', async () => {
    await using agent = await start({ facHaCurrentStatus: 2 });
    expect(await observe(agent, 'guess', { clock: idleClock() })).toMatchObject({ kind: 'failed', reason: 'timeout' });
    expect(agent.requests()).toBe(0);
  });

  // Listeners of network/snmp/snmp-get.ts: addEventListener abort
  it('stops when the round is called off', async () => {
    await using agent = await start({ facHaCurrentStatus: 2 });
    agent.setFault('silent');
    const controller = new AbortController();
    const observation = observe(agent, COMMUNITY, { signal: controller.signal });
    await expect.poll(() => agent.requests()).toBe(1);
    controller.abort(new Error('Shutting down'));
    expect(await observation).toMatchObject({ kind: 'failed', reason: 'aborted' });
  });

  // Listeners of network/snmp/snmp-get.ts: callback of get
  it('says so when the name of the agent is not known', async () => {
    expect(await observe({ host: 'fac.invalid', port: 161 })).toMatchObject({
      kind: 'failed',
      reason: 'name-not-resolved',
    });
  });
});

describeWhere([{ program: 'snmpd' }], 'observeHaRole with a real snmpd that serves the objects of the MIB', () => {
  async function serve(changes: MibChanges): Promise<Snmpd> {
    const snmpd = await startSnmpd([`rocommunity ${COMMUNITY} 127.0.0.1`], mibOverrides(changes));
    onTestFinished(() => snmpd[Symbol.asyncDispose]());
    return snmpd;
  }

  it.each<[number, HaRole]>([
    [1, 'undetermined'],
    [2, 'cluster-primary'],
    [3, 'cluster-secondary'],
    [4, 'standalone-primary'],
    [5, 'load-balancer'],
    [255, 'disabled'],
  ])('reads %d as %s', async (facHaCurrentStatus, role) => {
    const snmpd = await serve({ facHaCurrentStatus });
    expect(await observe(snmpd)).toMatchObject({ kind: 'ok', appliance: 'fac-1', role, serial: SERIAL });
  });

  it('reads serial, version and counts of tokens', async () => {
    expect(await observe(await serve({}))).toEqual({
      kind: 'ok',
      appliance: 'fac-1',
      role: 'disabled',
      serial: SERIAL,
      firmware: 'v5.5.0-build0366',
    });
  });

  it('does without what the agent does not have', async () => {
    const lacking = { facSysSerial: null, facSysVersion: null };
    const snmpd = await serve({ facHaCurrentStatus: 2, ...lacking });
    const nothing = { serial: null, firmware: null };
    expect(await observe(snmpd)).toMatchObject({ kind: 'ok', role: 'cluster-primary', ...nothing });
  });

  it('gets no answer with another community', async () => {
    const snmpd = await serve({});
    expect(await observe(snmpd, 'guess', { clock: idleClock() })).toMatchObject({ reason: 'timeout' });
  });
});

describeWhere([{ program: 'snmpd' }], 'observeHaRole as a user of SNMPv3', () => {
  const PASSWORDS = { AUTH: 'authentication-word', PRIV: 'encryption-word' };

  async function serve(protocols: string): Promise<Snmpd> {
    const [auth = '', priv = ''] = protocols.split(' ');
    const access = [`createUser monitor ${auth} ${PASSWORDS.AUTH} ${priv} ${PASSWORDS.PRIV}`, 'rouser monitor priv'];
    const snmpd = await startSnmpd(access, mibOverrides({ facHaCurrentStatus: 2 }));
    onTestFinished(() => snmpd[Symbol.asyncDispose]());
    return snmpd;
  }

  function observeAs(
    snmpd: Snmpd,
    login: Partial<SnmpConfig>,
    passwords = PASSWORDS,
    context: Partial<ConnectorContext> = {},
  ): Promise<HaRoleObservation> {
    const snmp: SnmpConfig = {
      ...WITHOUT_LOGIN,
      host: snmpd.host,
      port: snmpd.port,
      user: 'monitor',
      authPassword: { kind: 'env', name: 'AUTH' },
      privPassword: { kind: 'env', name: 'PRIV' },
      ...login,
    };
    return observeHaRole({ name: 'fac-1', snmp }, connectorContext({ env: passwords, ...context }));
  }

  it.each([
    ['SHA AES', {}],
    ['MD5 AES', { authProtocol: 'md5' }],
    ['SHA-256 AES', { authProtocol: 'sha256' }],
    ['SHA-512 AES', { authProtocol: 'sha512', privProtocol: 'aes' }],
    ['SHA-256 AES-256-C', { authProtocol: 'sha256', privProtocol: 'aes256' }],
  ] as const)('reads the role with %s', async (protocols, login) => {
    expect(await observeAs(await serve(protocols), login)).toMatchObject({ role: 'cluster-primary', serial: SERIAL });
  });

  it.each([
    ['a user that it does not know', { user: 'somebody' }, {}, 'the user is unknown'],
    ['a wrong authentication password', {}, { AUTH: 'another-long-word' }, 'wrong authentication password or protocol'],
    ['another authentication', { authProtocol: 'sha256' }, {}, 'wrong authentication password or protocol'],
  ] as const)('says what the agent refuses: %s', async (_, login, passwords, reason) => {
    const observation = await observeAs(await serve('SHA AES'), login, { ...PASSWORDS, ...passwords });
    expect(observation).toMatchObject({ kind: 'failed', reason: 'rejected' });
    expect(JSON.stringify(observation)).toContain(reason);
    expect(JSON.stringify(observation)).not.toMatch(/-word/u);
  });

  it('sees a wrong encryption password as silence: what the agent decrypts is no message', async () => {
    const passwords = { ...PASSWORDS, PRIV: 'another-long-word' };
    const observation = await observeAs(await serve('SHA AES'), {}, passwords, { clock: idleClock() });
    expect(observation).toMatchObject({ kind: 'failed', reason: 'timeout' });
  });
});
