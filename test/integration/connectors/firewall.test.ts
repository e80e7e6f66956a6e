import { afterAll, describe, expect, it } from 'vitest';
import { judgePolicies } from '../../support/checks/judged-policy.ts';
import {
  LOOKUP_PATH,
  PLAIN_POLICY,
  ROUTE_PATH,
  sslProfile,
  type FirewallState,
} from '../../../src/demo/lab/firewall.ts';
import { createFirewallBench, judged, TARGET } from '../../support/connectors/firewall-bench.ts';

const bench = await createFirewallBench();
afterAll(() => bench[Symbol.asyncDispose]());

function withPolicy(
  fields: Readonly<Record<string, unknown>>,
  state: Partial<FirewallState> = {},
): Partial<FirewallState> {
  return { policies: { 5: { ...PLAIN_POLICY, ...fields } }, ...state };
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

/** As `exempting`, for an address object. */
function exemptingAddress(object: Readonly<Record<string, unknown>>): Partial<FirewallState> {
  return exempting({ type: 'address', address: 'x' }, { addresses: { x: { name: 'x', ...object } } });
}

describe('observeFirewall', () => {
  type Row = [name: string, state: Partial<FirewallState>, found: readonly (readonly [string, string | null])[]];

  it.each<Row>([
    ['a policy without inspection', {}, []],
    ['no policy', { matches: 0 }, [['broken', 'policy-missing']]],
    ['no policy, without an id', { matches: null }, [['broken', 'policy-missing']]],
    ['a policy that denies', withPolicy({ action: 'deny' }), [['broken', 'policy-missing']]],
    [
      'deep inspection',
      withPolicy({ 'utm-status': 'enable', 'ssl-ssh-profile': 'deep-inspection' }),
      [['broken', INSPECTS]],
    ],
    ['certificate inspection', withPolicy({ 'ssl-ssh-profile': 'certificate-inspection' }), [['warning', INSPECTS]]],
    ['security profiles', withPolicy({ 'utm-status': 'enable', 'ips-sensor': 'default' }), [['warning', INSPECTS]]],
    [
      'a security profile that needs the decrypted content',
      withPolicy({ 'utm-status': 'enable', 'av-profile': 'default' }),
      [['note', null]],
    ],
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
    ['an exemption by name', exemptingAddress({ type: 'fqdn', fqdn: TARGET.host }), [['note', null]]],
    [
      'an exemption by subnet',
      exemptingAddress({ type: 'ipmask', subnet: '173.243.138.0 255.255.255.0' }),
      [['note', null]],
    ],
    [
      'an exemption by range',
      exemptingAddress({ type: 'iprange', 'start-ip': '173.243.138.80', 'end-ip': '173.243.138.90' }),
      [['note', null]],
    ],
    [
      'an exemption of another server',
      exemptingAddress({ type: 'ipmask', subnet: '10.0.0.0 255.0.0.0' }),
      [['broken', INSPECTS]],
    ],
    ...[
      ['finance', 31, 'broken'] as const,
      ['health', '33', 'broken'] as const,
      ['another category', 52, 'warning'] as const,
    ].map(
      ([name, category, level]): Row => [
        `an exemption of ${name}`,
        exempting({ type: 'fortiguard-category', 'fortiguard-category': category }),
        [[level, INSPECTS]],
      ],
    ),
    [
      'an exemption of a country, whose subnet means nothing',
      exemptingAddress({ type: 'geography', country: 'CA', subnet: '0.0.0.0 0.0.0.0', fqdn: '' }),
      [['warning', INSPECTS]],
    ],
    [
      'an exemption of a range beside a subnet that means nothing',
      exemptingAddress({ type: 'iprange', subnet: '0.0.0.0 0.0.0.0', 'start-ip': '10.0.0.1', 'end-ip': '10.0.0.9' }),
      [['broken', INSPECTS]],
    ],
    ['an exemption that cannot be read', exempting({ type: 'address', address: 'gone' }), [['warning', INSPECTS]]],
    ['an exemption by pattern, not run', exempting({ type: 'regex', regex: '(a+)+$' }), [['warning', INSPECTS]]],
  ])('sees %s', async (_, state, expected) => {
    await using firewall = await bench.start(state);
    expect(judged(await bench.observe(firewall))).toEqual(expected);
  });

  /** FortiOS ships with an object of this name in each of the two tables. */
  const all = {
    addresses: { all: { name: 'all', type: 'ipmask', subnet: '0.0.0.0 0.0.0.0' } },
    addresses6: { all: { name: 'all', type: 'ipprefix', ip6: '::/0' } },
  };
  const range = { type: 'iprange', 'start-ip': '2001:db8:173::80', 'end-ip': '2001:db8:173::90' };

  it.each<[kind: string, source: string, addresses6: FirewallState['addresses6'], judged: readonly unknown[]]>([
    ['address', '10.0.0.5', all.addresses6, ['note', null]],
    ['address6', '10.0.0.5', all.addresses6, ['broken', INSPECTS]],
    ['address', '2001:db8::5', all.addresses6, ['broken', INSPECTS]],
    ['address6', '2001:db8::5', all.addresses6, ['note', null]],
    ['address6', '2001:db8::5', { all: { type: 'ipprefix', ip6: '2001:db8:5::/48' } }, ['broken', INSPECTS]],
    ['address6', '2001:db8::5', { all: range }, ['note', null]],
    ['address6', '2001:db8::5', { all: { ...range, 'end-ip': '2001:db8:173::83' } }, ['broken', INSPECTS]],
    ['address6', '2001:db8::5', {}, ['warning', INSPECTS]],
  ])('exempts only connections of its own family: %s for %s, %o', async (type, source, addresses6, expected) => {
    await using firewall = await bench.start(exempting({ type, [type]: 'all' }, { ...all, addresses6 }));
    expect(judged(await bench.observe(firewall, { source }))).toEqual([expected]);
  });

  it.each([
    ['the address', ['address'], true],
    ['the name alone', ['name'], false],
    ['the name, and then the address', ['name', 'address'], true],
  ])('tells an exemption by name from one by address: %s', async (_, objects, isSure) => {
    const exemptions = objects.map((address, index) => ({ id: index + 1, type: 'address', address }));
    const addresses = {
      address: { type: 'ipmask', subnet: '173.243.138.0 255.255.255.0' },
      name: { name: 'name', type: 'fqdn', fqdn: TARGET.host },
    };
    await using firewall = await bench.start({
      addresses,
      policies: { 5: { ...PLAIN_POLICY, 'ssl-ssh-profile': 'custom' } },
      sslProfiles: { custom: sslProfile('custom', 'deep-inspection', exemptions) },
    });
    const [finding] = judgePolicies([await bench.observe(firewall)]);
    expect(finding?.level).toBe('note');
    // Whether FortiAuthenticator sends the name is unknown, so the note explains how to be sure.
    expect(finding?.actual === undefined).toBe(isSure);
  });

  it('counts only the security profiles that see something of an exempted connection', async () => {
    const exempt = sslProfile('custom', 'deep-inspection', [{ id: 1, type: 'address', address: 'all' }]);
    const profiles = { 'av-profile': 'default', 'webfilter-profile': 'default' };
    const policy = { ...PLAIN_POLICY, 'utm-status': 'enable', 'ssl-ssh-profile': 'custom', ...profiles };
    await using firewall = await bench.start({ ...all, policies: { 5: policy }, sslProfiles: { custom: exempt } });
    const findings = judgePolicies([await bench.observe(firewall)]);
    expect(findings.map(({ level }) => level)).toEqual(['note', 'warning', 'note']);
    expect(findings[1]?.facts?.profile).toBe('webfilter-profile "default"');
  });

  it('says between which interfaces the policy is, and none of a name that no command can hold', async () => {
    const zones = [{ name: 'dmz', q_origin_key: 'dmz' }, { name: 'x"\nend' }];
    await using firewall = await bench.start(withPolicy({ 'ssl-ssh-profile': 'deep-inspection', dstintf: zones }));
    const [finding] = judgePolicies([await bench.observe(firewall)]);
    expect(finding?.facts).toMatchObject({ policy: 'policy 5 "fac-to-internet"', incoming: 'port2', outgoing: '' });
  });

  it('names the exemption that it cannot judge', async () => {
    await using firewall = await bench.start(exempting({ type: 'fortiguard-category', 'fortiguard-category': 52 }));
    expect(judgePolicies([await bench.observe(firewall)]).map(({ actual }) => actual)).toEqual([
      expect.stringMatching(/: category 52$/u),
    ]);
  });

  it('asks for the way of the appliance to the licence server', async () => {
    await using firewall = await bench.start({ vdom: 'dmz' });
    expect(judged(await bench.observe(firewall, { vdom: 'dmz' }))).toEqual([]);
    const [first] = firewall.requests;
    const url = new URL(first?.path ?? '', firewall.url);
    expect(url.pathname).toBe(LOOKUP_PATH);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      vdom: 'dmz',
      ipv6: 'false',
      srcintf: 'port2',
      sourceip: '10.0.0.5',
      protocol: 'tcp',
      dest: 'fortitokenmobile.fortinet.com',
      destport: '443',
    });
  });

  it.each<[string, string | null, string | null]>([
    ['the one that the route names', 'port7', 'port7'],
    ['none when routes may not be read', null, null],
  ])('takes as incoming interface %s', async (_, route, expected) => {
    await using firewall = await bench.start({ route });
    expect(judged(await bench.observe(firewall, { sourceInterface: null }))).toEqual([]);
    const [first, second] = firewall.requests.map(({ path }) => new URL(path, firewall.url));
    expect(first?.pathname).toBe(ROUTE_PATH);
    expect(first?.searchParams.get('destination')).toBe('10.0.0.5');
    expect(second?.searchParams.get('srcintf')).toBe(expected);
  });

  it('takes none where the firmware knows no routes', async () => {
    await using firewall = await bench.start();
    firewall.setFault({ kind: 'status', status: 404 }, ROUTE_PATH);
    expect(judged(await bench.observe(firewall, { sourceInterface: null }))).toEqual([]);
  });

  it('may have to name the interface', async () => {
    await using firewall = await bench.start({ route: null, interfaceNeeded: true });
    expect(await bench.observe(firewall, { sourceInterface: null })).toMatchObject({
      kind: 'failed',
      message: expect.stringContaining('most firmware requires "sourceInterface"') as unknown,
    });
    expect(judged(await bench.observe(firewall))).toEqual([]);
  });

  it('asks by the address when the firewall cannot look up the name', async () => {
    await using firewall = await bench.start();
    firewall.setFault(
      { kind: 'status', status: 424 },
      `${LOOKUP_PATH}?vdom=root&ipv6=false&srcintf=port2&sourceip=10.0.0.5&protocol=tcp&dest=f`,
    );
    expect(judged(await bench.observe(firewall))).toEqual([]);
    const lookups = firewall.requests.filter(({ path }) => path.startsWith(LOOKUP_PATH));
    expect(lookups.map(({ path }) => new URL(path, firewall.url).searchParams.get('dest'))).toEqual([
      TARGET.host,
      '173.243.138.84',
    ]);
  });

  it.each([
    ['refuses a wrong token', { token: { kind: 'env', name: 'WRONG' } }, { kind: 'denied', status: 401 }],
    ['has no such virtual domain', { vdom: 'dmz' }, { kind: 'failed', reason: 'rejected' }],
  ] as const)('%s', async (_, config, expected) => {
    await using firewall = await bench.start();
    expect(await bench.observe(firewall, config)).toMatchObject(expected);
  });

  it('with the certificate of somebody else gets no token', async () => {
    await using firewall = await bench.start();
    const seen = await bench.observe(firewall, { caFile: null });
    expect(seen).toMatchObject({ kind: 'failed', reason: 'tls', certificate: 'untrusted' });
    expect(firewall.requests).toEqual([]);
  });

  it('sends nothing but GET, and names no token anywhere', async () => {
    await using firewall = await bench.start(exempting({ type: 'address', address: 'gone' }));
    const observation = await bench.observe(firewall, { sourceInterface: null });
    expect(firewall.requests.length).toBeGreaterThan(4);
    expect(new Set(firewall.requests.map(({ method }) => method))).toEqual(new Set(['GET']));
    expect(JSON.stringify(observation)).not.toContain('api-token');
  });
});
