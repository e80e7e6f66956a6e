import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { configurationOf } from '../../../src/demo/lab/configuration.ts';
import { createLab } from '../../../src/demo/lab/lab.ts';
import { LICENSE, SERIALS } from '../../../src/demo/lab/site.ts';
import { createSnmpAgent } from '../../support/connectors/snmp-agent.ts';
import { mibValues } from '../../support/connectors/fortiauthenticator-mib.ts';
import { checkLab } from '../../support/network/lab-check.ts';
import type { Section } from '../../support/process/check-bench.ts';
import {
  conclusionOf,
  notReady,
  preconditionOf,
  READY,
  readyWithWarning,
  type Conclusion,
} from '../../support/process/check-result.ts';

const OTHER_UNIT = 'FAC-VM0000000099';
const COMMUNITY = 'read-only-word';

const lab = await createLab();
afterAll(() => lab[Symbol.asyncDispose]());
const { appliance, registration } = lab;
const WELL = { ...appliance.state };

beforeEach(() => {
  appliance.setFault({ kind: 'none' });
  Object.assign(appliance.state, WELL);
  lab.register(SERIALS.unit);
});

test('everything is in place, and nothing but GET reached FortiAuthenticator and the firewall', async () => {
  const [applianceBefore, firewallBefore] = [appliance.requests.length, lab.firewallApi.requests.length];
  const result = await checkLab(lab);
  expect(conclusionOf(result)).toEqual(READY);
  const judged = ['appliance', 'license-assignment', 'token-pool', 'firewall-policy'] as const;
  expect(judged.map((id) => preconditionOf(result, id).state)).toEqual(['ok', 'ok', 'ok', 'ok']);
  const sent = [...appliance.requests.slice(applianceBefore), ...lab.firewallApi.requests.slice(firewallBefore)];
  expect(sent.length).toBeGreaterThanOrEqual(7);
  expect(new Set(sent.map(({ method, body }) => `${method}${body}`))).toEqual(new Set(['GET']));
});

interface Situation {
  readonly what: string;
  readonly state?: Partial<typeof WELL>;
  readonly fault?: Parameters<typeof appliance.setFault>[0];
  /** The unit that the licence is registered to, or what the service lists. */
  readonly licence?: string | typeof registration.state.licenses;
  readonly is: Partial<Conclusion>;
}

/** Nothing is known, and nothing is broken. */
const unknown = (...causes: readonly string[]) => ({ exitCode: 3, ready: 'unknown', causes }) as const;
const tokens = (count: number, status: string) => [{ count, status, license: LICENSE }];
const NONE_LEFT = { available_ftm: 0, total_ftm: 32, used_ftm: 32 };
const PENDING = [{ licenseNumber: LICENSE, serialNumber: '', status: 'Pending' }];
const RELAY = { ...WELL.provisioning, server_address: 'relay.example.org' };

const SITUATIONS: readonly Situation[] = [
  { what: 'the licence of the peer of a unit that runs alone', licence: SERIALS.peer, is: notReady('license-on-peer') },
  { what: 'the licence of another unit', licence: OTHER_UNIT, is: notReady('license-on-other-unit') },
  { what: 'a licence that waits to be registered', licence: PENDING, is: notReady('license-not-registered') },
  { what: 'a licence that the service does not list', licence: [], is: unknown() },
  { what: 'a clock 90 s behind', state: { clockOffset: -90_000 }, is: readyWithWarning('appliance-clock-skewed') },
  { what: '2 GB of memory', state: { memoryTotal: 2_029_704 }, is: readyWithWarning('appliance-memory-low') },
  {
    what: 'no tokens left',
    state: { tokens: tokens(32, 'assigned'), licensed: NONE_LEFT },
    is: notReady('tokens-exhausted'),
  },
  {
    what: 'fewer tokens than the licence has',
    state: { tokens: tokens(30, 'available') },
    is: readyWithWarning('token-count-mismatch'),
  },
  { what: 'a refused key', fault: { kind: 'status', status: 401 }, is: unknown('warning appliance-access-denied') },
  { what: 'a reset after the TLS handshake', fault: { kind: 'reset' }, is: unknown('warning appliance-unreadable') },
  {
    what: 'another licence server than the one that is probed',
    state: { provisioning: RELAY },
    is: readyWithWarning('provisioning-server-differs'),
  },
  {
    what: 'another unit than the configured one',
    state: { serial: OTHER_UNIT },
    licence: OTHER_UNIT,
    is: readyWithWarning('appliance-serial-differs'),
  },
];

test.each(SITUATIONS)('$what', async ({ state, fault, licence = SERIALS.unit, is }) => {
  Object.assign(appliance.state, state);
  if (fault !== undefined) appliance.setFault(fault);
  if (typeof licence === 'string') lab.register(licence);
  else registration.state.licenses = licence;
  expect(conclusionOf(await checkLab(lab))).toMatchObject(is);
});

test('known faults of a firmware are notes', async () => {
  appliance.state.firmware = 'FACVMKVM v6.6.2, build0099 (GA)';
  const result = await checkLab(lab);
  expect(conclusionOf(result)).toEqual(READY);
  const notes = preconditionOf(result, 'appliance').findings.filter(({ rule }) => rule === 'firmware-known');
  expect(notes).toHaveLength(4);
});

describe('the role that SNMP tells', () => {
  test.for([
    ['the primary, while the peer holds the licence', 2, readyWithWarning('license-on-peer')],
    ['the secondary, while the primary holds the licence', 3, READY],
  ] as const)('is %s', async ([, facHaCurrentStatus, expected]) => {
    const objects = mibValues({ facHaCurrentStatus, facSysSerial: SERIALS.unit });
    const agent = await createSnmpAgent({ community: COMMUNITY, objects });
    await writeFile(join(lab.folder, 'community'), COMMUNITY, { mode: 0o600 });
    const snmp = { host: agent.host, port: agent.port, communityFile: 'community' };
    const units = configurationOf(lab)['appliances'] as readonly Section[];
    appliance.state.peerSerial = SERIALS.peer;
    lab.register(SERIALS.peer);
    const result = await checkLab(lab, { appliances: units.map((unit) => ({ ...unit, snmp })) });
    expect(conclusionOf(result)).toEqual(expected);
    expect(agent.requests()).toBeGreaterThan(0);
    await agent.close();
  });
});

test.each([
  ['works', 0],
  ['does not answer', 1],
])('the unit names the mail server that is rehearsed with, which %s', async (_, down) => {
  const port = down === 0 ? lab.inbox.port : 1;
  const own = { name: 'own', address: 'mail.example.org', port, secure: 'none', sender_email: 'fac@example.org' };
  appliance.state.smtpServers = [{ ...own, default: true }];
  const result = await checkLab(lab, { mail: [] });
  expect(conclusionOf(result)).toEqual(down === 0 ? READY : notReady('mail-unreachable'));
  expect(preconditionOf(result, 'mail').summary).toContain(`mail.example.org:${String(port)}`);
});
