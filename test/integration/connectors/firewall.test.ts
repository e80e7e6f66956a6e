import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConnectorContext } from '../../../src/connectors/context.ts';
import { observeFirewall } from '../../../src/connectors/fortigate/observe-firewall.ts';
import type { FirewallConfig } from '../../../src/config/config.ts';
import { judgeFirewallPolicy } from '../../../src/checks/firewall-policy/judge.ts';
import type { FirewallObservation } from '../../../src/core/license/firewall.ts';
import { createFirewall, LOOKUP_PATH, PLAIN_POLICY, ROUTE_PATH, sslProfile } from '../../lab/firewall.ts';
import type { Firewall, FirewallState } from '../../lab/firewall.ts';
import type { HttpFault } from '../../lab/https-peer.ts';
import { createIdentity } from '../../support/authority.ts';
import type { Identity } from '../../support/authority.ts';
import { connectorContext } from '../../support/connector-context.ts';
import { hurriedClock } from '../../support/hurried-clock.ts';

const ENV = { TOKEN: 'api-token', WRONG: 'other-token' };
const TARGET = {
  host: 'fortitokenmobile.fortinet.com',
  port: 443,
  expectedAddresses: ['173.243.138.84', '173.243.138.0/24'],
};

let folder: string;
let identity: Identity;
let caFile: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firewall-'));
  identity = await createIdentity({ name: 'CN=firewall.example.test', ipAddresses: ['127.0.0.1'] });
  caFile = join(folder, 'ca.pem');
  await writeFile(caFile, identity.pem);
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

function start(state: Partial<FirewallState> = {}): Promise<Firewall> {
  return createFirewall({ identity, state });
}

function withPolicy(
  fields: Readonly<Record<string, unknown>>,
  state: Partial<FirewallState> = {},
): Partial<FirewallState> {
  return { policies: { 5: { ...PLAIN_POLICY, ...fields } }, ...state };
}

function observe(
  firewall: Firewall,
  more: Partial<FirewallConfig> = {},
  context: Partial<ConnectorContext> = {},
): Promise<FirewallObservation> {
  const config: FirewallConfig = {
    url: firewall.url,
    token: { kind: 'env', name: 'TOKEN' },
    vdom: 'root',
    source: '10.0.0.5',
    sourceInterface: 'port2',
    caFile,
    ...more,
  };
  return observeFirewall(config, TARGET, connectorContext({ env: ENV, ...context }));
}

function judged(observation: FirewallObservation): readonly (readonly [string, string | null])[] {
  return judgeFirewallPolicy(observation).map(({ level, suggests }) => [level, suggests]);
}

const INSPECTS = 'policy-inspects-traffic';

/** A deep-inspection profile with these exemptions, used by the policy. */
function exempting(
  exempt: Readonly<Record<string, unknown>>,
  state: Partial<FirewallState> = {},
): Partial<FirewallState> {
  const profile = sslProfile('custom', 'deep-inspection', [{ id: 1, ...exempt }]);
  return withPolicy(
    { 'utm-status': 'enable', 'ssl-ssh-profile': 'custom' },
    { sslProfiles: { custom: profile }, ...state },
  );
}

describe('observeFirewall', () => {
  it.each<[string, Partial<FirewallState>, readonly (readonly [string, string | null])[]]>([
    ['a policy without inspection', {}, []],
    ['no policy', { matches: 0 }, [['broken', 'policy-missing']]],
    ['a policy that denies', withPolicy({ action: 'deny' }), [['broken', 'policy-missing']]],
    [
      'deep inspection',
      withPolicy({ 'utm-status': 'enable', 'ssl-ssh-profile': 'deep-inspection' }),
      [['broken', INSPECTS]],
    ],
    ['certificate inspection', withPolicy({ 'ssl-ssh-profile': 'certificate-inspection' }), [['warning', INSPECTS]]],
    ['security profiles', withPolicy({ 'utm-status': 'enable', 'av-profile': 'default' }), [['warning', INSPECTS]]],
    ['security profiles that are switched off', withPolicy({ 'av-profile': 'default' }), []],
    ['proxy mode', withPolicy({ 'inspection-mode': 'proxy' }), [['warning', INSPECTS]]],
    [
      'deep inspection and profiles out of a group',
      withPolicy(
        { 'utm-status': 'enable', 'profile-type': 'group', 'profile-group': 'all' },
        { profileGroups: { all: { name: 'all', 'ssl-ssh-profile': 'deep-inspection', 'ips-sensor': 'default' } } },
      ),
      [
        ['broken', INSPECTS],
        ['warning', INSPECTS],
      ],
    ],
    ['a profile that is not there', withPolicy({ 'ssl-ssh-profile': 'gone' }), [['unknown', null]]],
    ['a policy that is not there', { policies: {} }, [['unknown', null]]],
    [
      'an exemption by wildcard',
      exempting(
        { type: 'wildcard-fqdn', 'wildcard-fqdn': 'fortinet' },
        { wildcardFqdns: { fortinet: { name: 'fortinet', 'wildcard-fqdn': '*.fortinet.com' } } },
      ),
      [['note', null]],
    ],
    [
      'an exemption by name',
      exempting(
        { type: 'address', address: 'ftm' },
        { addresses: { ftm: { name: 'ftm', type: 'fqdn', fqdn: TARGET.host } } },
      ),
      [['note', null]],
    ],
    [
      'an exemption by subnet',
      exempting(
        { type: 'address', address: 'ftm' },
        { addresses: { ftm: { type: 'ipmask', subnet: '173.243.138.0 255.255.255.0' } } },
      ),
      [['note', null]],
    ],
    [
      'an exemption by range',
      exempting(
        { type: 'address', address: 'r' },
        { addresses: { r: { type: 'iprange', 'start-ip': '173.243.138.80', 'end-ip': '173.243.138.90' } } },
      ),
      [['note', null]],
    ],
    [
      'an exemption of another server',
      exempting(
        { type: 'address', address: 'x' },
        { addresses: { x: { type: 'ipmask', subnet: '10.0.0.0 255.0.0.0' } } },
      ),
      [['broken', INSPECTS]],
    ],
    [
      'an exemption of finance',
      exempting({ type: 'fortiguard-category', 'fortiguard-category': 31 }),
      [['broken', INSPECTS]],
    ],
    [
      'an exemption of health',
      exempting({ type: 'fortiguard-category', 'fortiguard-category': '33' }),
      [['broken', INSPECTS]],
    ],
    [
      'an exemption of another category',
      exempting({ type: 'fortiguard-category', 'fortiguard-category': 52 }),
      [['warning', INSPECTS]],
    ],
    [
      'an exemption of a country, whose subnet means nothing',
      exempting(
        { type: 'address', address: 'x' },
        { addresses: { x: { type: 'geography', country: 'CA', subnet: '0.0.0.0 0.0.0.0', fqdn: '' } } },
      ),
      [['warning', INSPECTS]],
    ],
    [
      'an exemption of a range beside a subnet that means nothing',
      exempting(
        { type: 'address', address: 'x' },
        {
          addresses: {
            x: { type: 'iprange', subnet: '0.0.0.0 0.0.0.0', 'start-ip': '10.0.0.1', 'end-ip': '10.0.0.9' },
          },
        },
      ),
      [['broken', INSPECTS]],
    ],
    ['an exemption that cannot be read', exempting({ type: 'address', address: 'gone' }), [['warning', INSPECTS]]],
    [
      'an exemption by pattern, which is not run',
      exempting({ type: 'regex', regex: '(a+)+$' }),
      [['warning', INSPECTS]],
    ],
  ])('sees %s', async (_, state, expected) => {
    await using firewall = await start(state);
    expect(judged(await observe(firewall))).toEqual(expected);
  });

  it('names the exemption that it cannot judge', async () => {
    await using firewall = await start(exempting({ type: 'fortiguard-category', 'fortiguard-category': 52 }));
    expect(judgeFirewallPolicy(await observe(firewall)).map(({ actual }) => actual)).toEqual([
      expect.stringMatching(/: category 52$/u),
    ]);
  });

  it('asks for the way of the appliance to the licence server', async () => {
    await using firewall = await start();
    await observe(firewall, { vdom: 'dmz' });
    const [first] = firewall.requests;
    const url = new URL(first?.path ?? '', firewall.url);
    expect(url.pathname).toBe(LOOKUP_PATH);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      vdom: 'dmz',
      ipv6: 'false',
      srcintf: 'port2',
      sourceip: '10.0.0.5',
      protocol: 'TCP',
      dest: 'fortitokenmobile.fortinet.com',
      destport: '443',
    });
  });

  it.each<[string, string | null, string | null]>([
    ['the one that the route names', 'port7', 'port7'],
    ['none when routes may not be read', null, null],
  ])('takes as incoming interface %s', async (_, route, expected) => {
    await using firewall = await start({ route });
    expect(judged(await observe(firewall, { sourceInterface: null }))).toEqual([]);
    const [first, second] = firewall.requests.map(({ path }) => new URL(path, firewall.url));
    expect(first?.pathname).toBe(ROUTE_PATH);
    expect(first?.searchParams.get('destination')).toBe('10.0.0.5');
    expect(second?.searchParams.get('srcintf')).toBe(expected);
  });

  it('asks by the address when the firewall cannot look up the name', async () => {
    await using firewall = await start();
    firewall.setFault(
      { kind: 'status', status: 424 },
      `${LOOKUP_PATH}?vdom=root&ipv6=false&srcintf=port2&sourceip=10.0.0.5&protocol=TCP&dest=f`,
    );
    expect(judged(await observe(firewall))).toEqual([]);
    const lookups = firewall.requests.filter(({ path }) => path.startsWith(LOOKUP_PATH));
    expect(lookups.map(({ path }) => new URL(path, firewall.url).searchParams.get('dest'))).toEqual([
      TARGET.host,
      '173.243.138.84',
    ]);
  });

  it('sends nothing but GET, and names no token anywhere', async () => {
    await using firewall = await start(exempting({ type: 'address', address: 'gone' }));
    const observation = await observe(firewall, { sourceInterface: null });
    expect(firewall.requests.length).toBeGreaterThan(4);
    expect(new Set(firewall.requests.map(({ method }) => method))).toEqual(new Set(['GET']));
    expect(JSON.stringify(observation)).not.toContain('api-token');
  });
});

describe('a failing firewall', () => {
  it.each<[string, HttpFault, Partial<FirewallObservation>]>([
    ['401', { kind: 'status', status: 401 }, { kind: 'denied', status: 401 }],
    ['403', { kind: 'status', status: 403 }, { kind: 'denied', status: 403 }],
    ['404', { kind: 'status', status: 404 }, { kind: 'failed', reason: 'rejected' }],
    ['429', { kind: 'status', status: 429 }, { kind: 'failed', reason: 'rejected' }],
    ['500', { kind: 'status', status: 500 }, { kind: 'failed', reason: 'rejected' }],
    ['HTML', { kind: 'html' }, { kind: 'failed', reason: 'protocol' }],
    [
      'JSON of something else',
      { kind: 'body', body: '{"results": {"success": "perhaps"}}' },
      { kind: 'failed', reason: 'protocol' },
    ],
    ['a truncated body', { kind: 'truncated' }, { kind: 'failed', reason: 'closed' }],
    ['a reset', { kind: 'reset' }, { kind: 'failed', reason: 'reset' }],
  ])('that answers with %s leaves the policy unknown', async (_, fault, expected) => {
    await using firewall = await start();
    firewall.setFault(fault);
    const observation = await observe(firewall);
    expect(observation).toMatchObject({
      source: '10.0.0.5',
      destination: 'fortitokenmobile.fortinet.com:443',
      ...expected,
    });
    expect(judged(observation)).toEqual([['unknown', null]]);
  });

  it.each<[string, HttpFault]>([
    ['is silent', { kind: 'silent' }],
    ['trickles', { kind: 'trickle' }],
  ])('that %s is given up in time', async (_, fault) => {
    await using firewall = await start();
    firewall.setFault(fault);
    expect(await observe(firewall, {}, { clock: hurriedClock(40) })).toMatchObject({
      kind: 'failed',
      reason: 'timeout',
    });
  });

  it('refuses a wrong token', async () => {
    await using firewall = await start();
    expect(await observe(firewall, { token: { kind: 'env', name: 'WRONG' } })).toMatchObject({
      kind: 'denied',
      status: 401,
    });
  });

  it('with the certificate of somebody else gets no token', async () => {
    await using firewall = await start();
    expect(await observe(firewall, { caFile: null })).toMatchObject({ kind: 'failed', reason: 'tls' });
    expect(firewall.requests).toEqual([]);
  });
});
