import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { configurationOf } from '../../../src/demo/lab/configuration.ts';
import { createLab } from '../../../src/demo/lab/lab.ts';
import type { Lab } from '../../../src/demo/lab/lab.ts';
import { LICENSE, SERIALS } from '../../../src/demo/lab/site.ts';
import { createSnmpAgent } from '../../support/connectors/snmp-agent.ts';
import type { SnmpAgent } from '../../support/connectors/snmp-agent.ts';
import type { Section } from '../../support/process/check-bench.ts';
import {
  conclusionOf,
  evidenceOf,
  notReady,
  preconditionOf,
  READY,
  readyWithWarning,
  remedyOf,
} from '../../support/process/check-result.ts';
import { type MibChanges, mibValues } from '../../support/connectors/fortiauthenticator-mib.ts';
import { checkLab } from '../../support/network/lab-check.ts';

const OTHER_UNIT = 'FAC-VM0000000099';
const TOKENS = { count: 30, license: LICENSE };
const COMMUNITY = 'read-only-word';

let lab: Lab;

beforeAll(async () => {
  lab = await createLab();
});
afterAll(() => lab[Symbol.asyncDispose]());

beforeEach(() => {
  const { appliance } = lab;
  appliance.setFault({ kind: 'none' });
  appliance.state.peerSerial = '';
  appliance.state.firmware = 'FACVMKVM v8.0.3, build0099 (GA)';
  appliance.state.memoryTotal = 4_032_452;
  appliance.state.clockOffset = 0;
  appliance.state.tokens = [
    { ...TOKENS, status: 'available' },
    { count: 2, status: 'assigned', license: LICENSE },
  ];
  appliance.state.licensed = { available_ftm: 30, total_ftm: 32, used_ftm: 2 };
  lab.register(SERIALS.unit);
});

test('everything is in place, and nothing but GET reached FortiAuthenticator and the firewall', async () => {
  const [applianceBefore, firewallBefore] = [lab.appliance.requests.length, lab.firewallApi.requests.length];
  const result = await checkLab(lab);
  expect(conclusionOf(result)).toEqual(READY);
  const judged = ['appliance', 'license-assignment', 'token-pool', 'firewall-policy'] as const;
  expect(judged.map((id) => preconditionOf(result, id).state)).toEqual(['ok', 'ok', 'ok', 'ok']);
  const sent = [...lab.appliance.requests.slice(applianceBefore), ...lab.firewallApi.requests.slice(firewallBefore)];
  expect(sent.length).toBeGreaterThanOrEqual(7);
  expect(new Set(sent.map(({ method, body }) => `${method}${body}`))).toEqual(new Set(['GET']));
});

describe('the licence', () => {
  test('of the peer of a unit that runs alone', async () => {
    lab.register(SERIALS.peer);
    const result = await checkLab(lab);
    expect(conclusionOf(result)).toEqual(notReady('license-on-peer'));
    expect(evidenceOf(result)).toContain(`registered to the HA peer ${SERIALS.peer}, but this unit is standalone`);
    expect(remedyOf(result)).toContain('2025-08-04');
  });

  test('of the peer in a running cluster', async () => {
    lab.appliance.state.peerSerial = SERIALS.peer;
    lab.register(SERIALS.peer);
    expect(conclusionOf(await checkLab(lab))).toEqual(readyWithWarning('license-on-peer'));
  });

  test('of another unit', async () => {
    lab.register(OTHER_UNIT);
    const result = await checkLab(lab);
    expect(conclusionOf(result)).toEqual(notReady('license-on-other-unit'));
    expect(evidenceOf(result)).toContain(OTHER_UNIT);
    expect(remedyOf(result)).toContain(`restored after a migration and has the serial number ${SERIALS.unit}`);
  });

  test('that waits to be registered', async () => {
    lab.registration.state.licenses = [{ licenseNumber: LICENSE, serialNumber: '', status: 'Pending' }];
    expect(conclusionOf(await checkLab(lab))).toEqual(notReady('license-not-registered'));
  });

  test('that the service does not list is unknown, not missing', async () => {
    lab.registration.state.licenses = [];
    const { causes, preconditions, exitCode } = await checkLab(lab);
    expect(causes).toEqual([]);
    expect(preconditions.find(({ id }) => id === 'license-assignment')?.state).toBe('unknown');
    expect(exitCode).toBe(3);
  });
});

describe('the unit itself', () => {
  test('has a clock that is 25 s ahead', async () => {
    lab.appliance.state.clockOffset = 25_000;
    const result = await checkLab(lab);
    expect(conclusionOf(result)).toEqual(readyWithWarning('appliance-clock-skewed'));
    expect(evidenceOf(result)).toMatch(/The clock of FortiAuthenticator is 2[45] s ahead\./u);
    expect(remedyOf(result)).toContain('UDP port 123');
  });

  test('has a clock that is 90 s behind, and rejects codes', async () => {
    lab.appliance.state.clockOffset = -90_000;
    const result = await checkLab(lab);
    expect(conclusionOf(result)).toEqual(readyWithWarning('appliance-clock-skewed'));
    expect(result.causes[0]?.summary).toMatch(
      /is 1 min (?:29|30|31) s behind, so time-based codes are rejected, .* HOTP/u,
    );
  });

  test('has 2 GB of memory', async () => {
    lab.appliance.state.memoryTotal = 2_029_704;
    expect(conclusionOf(await checkLab(lab))).toEqual(readyWithWarning('appliance-memory-low'));
    lab.appliance.state.firmware = 'FACVMKVM v6.4.10, build0099 (GA)';
    expect(conclusionOf(await checkLab(lab))).toEqual(READY);
  });

  test.each([
    ['6.6.8', ['FG-IR-26-128', 'CVE-2026-126238']],
    ['6.6.6', ['FG-IR-26-128', 'FG-IR-25-528', 'CVE-2026-126238']],
    ['6.6.2', ['FG-IR-26-128', 'FG-IR-25-528', 'CVE-2026-126238', 'CVE-2025-53379']],
    ['6.6.9', ['CVE-2026-126238']],
    ['6.6.11', []],
    ['8.0.1', ['FG-IR-26-128', 'CVE-2026-126238']],
  ] as const)('has firmware %s, of which notes tell %j', async (version, ids) => {
    lab.appliance.state.firmware = `FACVMKVM v${version}, build0099 (GA)`;
    const result = await checkLab(lab);
    expect(conclusionOf(result)).toEqual(READY);
    const notes = preconditionOf(result, 'appliance').findings.filter(({ rule }) => rule === 'firmware-known');
    expect(notes.map(({ actual }) => /^[\d.]+: ([\w-]+),/u.exec(actual)?.[1])).toEqual(ids);
  });
});

describe('the role that SNMP tells', () => {
  let agent: SnmpAgent;
  const objects = new Map<string, number | string>();

  beforeAll(async () => {
    agent = await createSnmpAgent({ community: COMMUNITY, objects });
    await writeFile(join(lab.folder, 'community'), COMMUNITY, { mode: 0o600 });
  });
  afterAll(() => agent.close());

  function tell(changes: MibChanges): void {
    for (const [oid, value] of mibValues(changes)) objects.set(oid, value);
  }

  function withSnmp(): Section {
    const appliances = configurationOf(lab)['appliances'] as readonly Section[];
    const snmp = { host: agent.host, port: agent.port, communityFile: 'community' };
    return { appliances: appliances.map((appliance) => ({ ...appliance, snmp })) };
  }

  test.for([
    ['the primary, while the peer holds the licence', 2, readyWithWarning('license-on-peer')],
    ['the secondary, while the primary holds the licence', 3, READY],
  ] as const)('is %s', async ([, facHaCurrentStatus, expected]) => {
    tell({ facHaCurrentStatus, facSysSerial: SERIALS.unit });
    lab.appliance.state.peerSerial = SERIALS.peer;
    lab.register(SERIALS.peer);
    expect(conclusionOf(await checkLab(lab, withSnmp()))).toEqual(expected);
    expect(agent.requests()).toBeGreaterThan(0);
  });
});

describe('the tokens', () => {
  test('are all given out', async () => {
    lab.appliance.state.tokens = [{ count: 32, status: 'assigned', license: LICENSE }];
    lab.appliance.state.licensed = { available_ftm: 0, total_ftm: 32, used_ftm: 32 };
    const result = await checkLab(lab);
    expect(conclusionOf(result)).toEqual(notReady('tokens-exhausted'));
    expect(remedyOf(result)).toContain('Free the tokens of users who have left');
  });

  test('are fewer than the licence has', async () => {
    lab.appliance.state.tokens = [{ ...TOKENS, status: 'available' }];
    expect(conclusionOf(await checkLab(lab))).toEqual(readyWithWarning('token-count-mismatch'));
  });
});

describe('FortiAuthenticator', () => {
  test('refuses the key', async () => {
    lab.appliance.setFault({ kind: 'status', status: 401 });
    const result = await checkLab(lab);
    expect(result).toMatchObject({
      ready: 'unknown',
      causes: [{ id: 'appliance-access-denied', severity: 'warning' }],
      exitCode: 3,
    });
    expect((['appliance', 'token-pool'] as const).map((id) => preconditionOf(result, id).state)).toEqual([
      'warning',
      'unknown',
    ]);
    expect(evidenceOf(result)).toContain('HTTP 401');
    expect(remedyOf(result)).toContain('not the login password');
  });

  test('resets the connection after the TLS handshake', async () => {
    lab.appliance.setFault({ kind: 'reset' });
    const result = await checkLab(lab);
    expect(result).toMatchObject({ causes: [{ id: 'appliance-unreadable', severity: 'warning' }], exitCode: 3 });
    expect(preconditionOf(result, 'tls-genuine').state).toBe('ok');
  });

  test('uses another licence server than the one that is probed', async () => {
    const { provisioning } = lab.appliance.state;
    lab.appliance.state.provisioning = { ...provisioning, server_address: 'relay.example.org' };
    const result = await checkLab(lab);
    lab.appliance.state.provisioning = provisioning;
    expect(preconditionOf(result, 'appliance')).toMatchObject({
      state: 'warning',
      findings: [
        { rule: 'provisioning-server-matches', actual: expect.stringContaining('relay.example.org') as unknown },
        { rule: 'firmware-known', actual: expect.stringContaining('CVE-2026-126238') as unknown },
      ],
    });
    expect(conclusionOf(result)).toEqual(readyWithWarning('provisioning-server-differs'));
    expect(remedyOf(result)).toContain('relay.example.org:');
  });

  test('is another unit than the configured one', async () => {
    const { serial } = lab.appliance.state;
    lab.appliance.state.serial = OTHER_UNIT;
    lab.register(OTHER_UNIT);
    const result = await checkLab(lab);
    lab.appliance.state.serial = serial;
    expect(conclusionOf(result)).toEqual(readyWithWarning('appliance-serial-differs'));
    expect(remedyOf(result)).toContain(`set appliances[].serial to ${OTHER_UNIT}`);
  });

  test('names the mail server that is rehearsed with when the configuration names none', async () => {
    const { smtpServers } = lab.appliance.state;
    const own = {
      name: 'own',
      address: 'mail.example.org',
      port: lab.inbox.port,
      secure: 'none',
      sender_email: 'fac@example.org',
      default: true,
    };
    lab.appliance.state.smtpServers = [own];
    const well = await checkLab(lab, { mail: [] });
    lab.appliance.state.smtpServers = [{ ...own, port: 1 }];
    const broken = await checkLab(lab, { mail: [] });
    lab.appliance.state.smtpServers = smtpServers;
    expect(preconditionOf(well, 'mail')).toMatchObject({
      state: 'ok',
      summary: `mail.example.org:${String(lab.inbox.port)} accepts a message`,
    });
    expect(conclusionOf(broken)).toEqual(notReady('mail-unreachable'));
  });
});
