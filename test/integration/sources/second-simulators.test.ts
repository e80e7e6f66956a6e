import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { observeFirewall } from '../../../src/sources/firewall/observe-firewall.ts';
import { observeRegistration } from '../../../src/sources/registration/observe-registration.ts';
import { observeAppliance } from '../../../src/sources/appliances/observe-appliance.ts';
import type { ApplianceObservation } from '../../../src/core/license/appliance.ts';
import type { FirewallObservation } from '../../../src/core/license/firewall.ts';
import { judgeFirewallPolicy } from '../../../src/checks/firewall-policy/judge.ts';
import type { RegistrationObservation } from '../../../src/core/license/registration.ts';
import { connectorContext } from '../../support/connector-context.ts';
import { memoryStore, outcomes } from '../../support/registration-bench.ts';
import { createSecondFirewall } from '../../support/second-firewall.ts';
import type { SecondFirewall } from '../../support/second-firewall.ts';
import { createSecondFortiAuthenticator } from '../../support/second-fortiauthenticator.ts';
import type { SecondFortiAuthenticator, SecondToken } from '../../support/second-fortiauthenticator.ts';
import { createSecondRegistration } from '../../support/second-registration.ts';
import type { SecondRegistration } from '../../support/second-registration.ts';

/*
 * The simulators of the lab and the clients were made together and may share a misreading. These were written from the
 * manufacturer's documentation alone.
 */

const LICENSE = 'EFTM010130823929';
const SERIAL = 'FAC-VM0000000000';

function observeUnit(fac: SecondFortiAuthenticator, key: string = fac.key): Promise<ApplianceObservation> {
  const api = {
    url: fac.url,
    user: fac.user,
    key: { kind: 'env', name: 'KEY' },
    caFile: null,
    pin: fac.identity.pin,
  } as const;
  return observeAppliance({ name: 'fac-1', api }, connectorContext({ env: { KEY: key } }));
}

describe('a second FortiAuthenticator', () => {
  it('is read as a whole', async () => {
    await using fac = await createSecondFortiAuthenticator();
    expect(await observeUnit(fac)).toMatchObject({
      kind: 'ok',
      system: {
        serial: SERIAL,
        peerSerial: null,
        firmware: 'FACVMKVM v8.0.3, build0099 (GA)',
        tokensPopulated: 2,
        load: { cpu: 0, memory: 0.64, disk: 0 },
      },
      licensed: { kind: 'read', value: { total: 2, used: 1, available: 1 } },
      tokens: {
        kind: 'read',
        value: {
          total: 2,
          byStatus: { available: 1, assigned: 1 },
          byLicense: [{ license: LICENSE, tokens: 2 }],
          withoutLicense: 0,
        },
      },
      provisioning: { kind: 'read', value: { host: 'fortitokenmobile.fortinet.com', port: 443 } },
      mailServers: {
        kind: 'read',
        value: [
          {
            host: 'mail.example.test',
            port: 587,
            security: 'starttls',
            from: 'fac@example.test',
            user: null,
            password: null,
          },
        ],
      },
    });
  });

  it('is asked with GET alone, on the paths that the documentation has, and its mail password is left there', async () => {
    await using fac = await createSecondFortiAuthenticator();
    const observation = await observeUnit(fac);
    expect(fac.requests.map(({ method, body }) => `${method}${body}`)).toEqual(fac.requests.map(() => 'GET'));
    expect(fac.requests).toHaveLength(5);
    expect(JSON.stringify(observation)).not.toContain('a-password-of-the-mail-server');
  });

  it('has its tokens counted over the pages of 1000 that it gives at most', async () => {
    await using fac = await createSecondFortiAuthenticator();
    fac.tokens = Array.from({ length: 2500 }, (_, index): SecondToken => {
      const serial = `FTKMOB${index.toString(16).toUpperCase().padStart(10, '0')}`;
      return { serial, type: 'ftm', status: index < 2000 ? 'assigned' : 'available', license: LICENSE };
    });
    expect(await observeUnit(fac)).toMatchObject({
      tokens: { kind: 'read', value: { total: 2500, byStatus: { assigned: 2000, available: 500 } } },
      licensed: { kind: 'read', value: { total: 2500, used: 2000 } },
    });
    expect(fac.requests.filter(({ url }) => url.pathname.endsWith('/fortitokens/'))).toHaveLength(3);
  });

  it('names its peer in a cluster', async () => {
    await using fac = await createSecondFortiAuthenticator();
    fac.peerSerial = 'FAC-VM0000000001';
    expect(await observeUnit(fac)).toMatchObject({ system: { peerSerial: 'FAC-VM0000000001' } });
  });

  it('refuses the password of the login', async () => {
    await using fac = await createSecondFortiAuthenticator();
    expect(await observeUnit(fac, 'login-password')).toMatchObject({ kind: 'denied', status: 401 });
  });

  it('may lack a resource, and may have no mail server', async () => {
    await using fac = await createSecondFortiAuthenticator();
    fac.overrides.set('fortitokenmobileprovisioning', { status: 404, body: '' });
    fac.overrides.set('smtpservers', {
      status: 200,
      body: { meta: { limit: 20, next: null, offset: 0, total_count: 0 }, objects: [] },
    });
    expect(await observeUnit(fac)).toMatchObject({
      provisioning: { kind: 'absent' },
      mailServers: { kind: 'read', value: [] },
    });
  });
});

async function withCa<T>(pem: string, use: (caFile: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'ftm-watch-second-'));
  try {
    const caFile = join(folder, 'ca.pem');
    await writeFile(caFile, pem);
    return await use(caFile);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function lookUp(service: SecondRegistration, accountId: number | null = null): Promise<RegistrationObservation> {
  return withCa(`${service.auth.identity.pem}${service.api.identity.pem}`, (caFile) =>
    observeRegistration(
      {
        user: service.user,
        password: { kind: 'env', name: 'PASSWORD' },
        accountId,
        url: service.api.url,
        authUrl: service.auth.url,
        caFile,
      },
      { licenses: [LICENSE], serials: [SERIAL] },
      memoryStore(),
      connectorContext({ env: { PASSWORD: service.password } }),
    ),
  );
}

describe('a second registration service', () => {
  it.each([
    ['registered', 'Registered', SERIAL, { kind: 'registered', serial: SERIAL, sku: 'FTM-ELIC-5' }],
    ['pending', 'Pending', null, { kind: 'unregistered', status: 'Pending' }],
  ] as const)('knows a licence as %s', async (_, status, serialNumber, expected) => {
    await using service = await createSecondRegistration();
    service.licenses = [{ licenseNumber: LICENSE, licenseSKU: 'FTM-ELIC-5', serialNumber, status }];
    expect(outcomes(await lookUp(service))).toEqual([expected]);
  });

  it.each([
    ['an empty list', []],
    ['no list', null],
  ] as const)('says nothing about a licence with %s', async (_, licenses) => {
    await using service = await createSecondRegistration();
    service.licenses = licenses;
    expect(outcomes(await lookUp(service))).toEqual([{ kind: 'not-listed' }]);
  });

  it('wants the account of an organisation', async () => {
    await using service = await createSecondRegistration();
    service.organisation = 1_234_567;
    expect(outcomes(await lookUp(service))).toMatchObject([
      { kind: 'failed', reason: 'rejected', message: expect.stringContaining('accountId is required') as unknown },
    ]);
    expect(outcomes(await lookUp(service, 1_234_567))).toMatchObject([{ kind: 'registered' }]);
  });

  it('refuses a wrong password', async () => {
    await using service = await createSecondRegistration();
    expect(await lookUp({ ...service, password: 'guess' })).toMatchObject({ kind: 'denied' });
  });
});

function lookAt(firewall: SecondFirewall, sourceInterface: string | null = null): Promise<FirewallObservation> {
  return withCa(firewall.identity.pem, (caFile) =>
    observeFirewall(
      {
        url: firewall.url,
        token: { kind: 'env', name: 'TOKEN' },
        vdom: 'root',
        source: '10.0.0.5',
        sourceInterface,
        caFile,
      },
      { host: 'fortitokenmobile.fortinet.com', port: 443, expectedAddresses: [] },
      connectorContext({ env: { TOKEN: firewall.token } }),
    ),
  );
}

function levelsOf(observation: FirewallObservation): readonly (readonly [string, string | null])[] {
  return judgeFirewallPolicy(observation).map(({ level, suggests }) => [level, suggests]);
}

describe('a second firewall', () => {
  it.each([
    ['lets the traffic through untouched', {}, []],
    ['denies it', { action: 'deny' }, [['broken', 'policy-missing']]],
    [
      'inspects it',
      { 'utm-status': 'enable', 'ssl-ssh-profile': 'custom-deep-inspection' },
      [['broken', 'policy-inspects-traffic']],
    ],
    [
      'reads the handshake',
      { 'utm-status': 'enable', 'ssl-ssh-profile': 'certificate-inspection' },
      [['warning', 'policy-inspects-traffic']],
    ],
    ['scans it', { 'utm-status': 'enable', 'av-profile': 'default' }, [['warning', 'policy-inspects-traffic']]],
    ['has a policy in proxy mode', { 'inspection-mode': 'proxy' }, [['warning', 'policy-inspects-traffic']]],
  ] as const)('%s', async (_, fields, expected) => {
    await using firewall = await createSecondFirewall();
    firewall.policies.set('5', { ...firewall.policies.get('5'), ...fields });
    const observation = await lookAt(firewall);
    expect(levelsOf(observation)).toEqual(expected);
    expect(observation).toMatchObject({ match: { kind: 'policy', policy: { id: 5, name: 'FAC to Internet' } } });
    expect(new Set(firewall.requests.map(({ method }) => method))).toEqual(new Set(['GET']));
  });

  it('has no policy for it', async () => {
    await using firewall = await createSecondFirewall();
    firewall.match = null;
    expect(levelsOf(await lookAt(firewall))).toEqual([['broken', 'policy-missing']]);
  });

  it('may want to know the interface', async () => {
    await using firewall = await createSecondFirewall();
    firewall.interfaceNeeded = true;
    expect(await lookAt(firewall)).toMatchObject({
      kind: 'failed',
      message: expect.stringContaining('most firmware wants "sourceInterface"') as unknown,
    });
    expect(levelsOf(await lookAt(firewall, 'port2'))).toEqual([]);
  });

  it('refuses a wrong token', async () => {
    await using firewall = await createSecondFirewall();
    expect(await lookAt({ ...firewall, token: 'guess' })).toMatchObject({ kind: 'denied', status: 401 });
  });
});
