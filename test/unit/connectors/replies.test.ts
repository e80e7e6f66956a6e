import { describe, expect, it } from 'vitest';
import {
  parsePolicy,
  parsePolicyId,
  parseSslProfile,
  resultOf,
  serialIn,
} from '../../../src/connectors/firewall-replies.ts';

describe('resultOf', () => {
  it.each<[unknown, unknown]>([
    [{ results: { a: 1 } }, { a: 1 }],
    [{ results: [{ a: 1 }] }, { a: 1 }],
    [{ results: [] }, null],
    [{ status: 'error' }, null],
    [null, null],
    ['x', null],
  ])('of %j is %j', (value, result) => {
    expect(resultOf(value)).toEqual(result);
  });
});

describe('serialIn', () => {
  it.each<[unknown, string | null]>([
    [{ serial: 'FGVM020000000000', results: {} }, 'FGVM020000000000'],
    [{ serial: 'FGVMEV_B6WKV3L0D' }, 'FGVMEV_B6WKV3L0D'],
    [{ results: { serial: 'FGVM020000000000' } }, null],
    [{ serial: 'FG\n100FTK20012345' }, null],
    [{ serial: 7 }, null],
    [null, null],
  ])('of %j is %j', (value, serial) => {
    expect(serialIn(value)).toBe(serial);
  });
});

describe('parsePolicyId', () => {
  it.each<[Readonly<Record<string, unknown>>, number | null]>([
    [{ success: true, policy_id: 5 }, 5],
    [{ success: true, policy_id: '5' }, 5],
    [{ success: true, policy_id: 0 }, 0],
    [{ success: false }, 0],
    [{ success: true }, null],
    [{}, null],
    [{ success: 'yes', policy_id: 5 }, null],
  ])('of %j is %j', (result, id) => {
    expect(parsePolicyId(result)).toBe(id);
  });
});

describe('parsePolicy', () => {
  const applied = {
    action: 'accept',
    'utm-status': 'enable',
    'av-profile': 'default',
    'ips-sensor': '',
    'ssl-ssh-profile': 'custom',
  };

  it('takes the profiles that apply', () => {
    expect(parsePolicy(7, { ...applied, name: 'out', 'inspection-mode': 'proxy' })).toEqual({
      policy: {
        id: 7,
        name: 'out',
        action: 'accept',
        proxyMode: true,
        securityProfiles: ['av-profile "default"'],
        incoming: [],
        outgoing: [],
        nat: null,
        schedule: null,
      },
      sslProfile: 'custom',
      profileGroup: null,
    });
  });

  const named = (...names: readonly unknown[]): readonly unknown[] =>
    names.map((name) => ({ name, q_origin_key: name }));

  it.each([
    ['one', named('port2'), ['port2']],
    ['several, zones among them', named('port2', 'Büro LAN', 'vlan.10/a'), ['port2', 'Büro LAN', 'vlan.10/a']],
    ['any', named('any'), ['any']],
    ['none', [], []],
    ['no list', 'port2', []],
    ['a name that ends the quotes', named('port2', 'a"\nend'), []],
    ['a name with a comma', named('a, b'), []],
    ['a name with what the command line reads', named('port2', 'a?b'), []],
    ['a line break alone', named('port2\n'), []],
    ['too long a name', named('x'.repeat(80)), []],
    ['too many', named(...Array.from({ length: 17 }, (_, at) => `port${String(at)}`)), []],
    ['a number', named(5), []],
  ])('takes its interfaces all or not at all: %s', (_, interfaces, expected) => {
    const policy = parsePolicy(7, { ...applied, srcintf: interfaces, dstintf: named('wan1') })?.policy;
    expect(policy).toMatchObject({ incoming: expected, outgoing: ['wan1'] });
  });

  it.each([
    ['address of the interface', { nat: 'enable' }, { enabled: true, pools: [] }],
    ['none', { nat: 'disable', ippool: 'enable', poolname: named('p1') }, { enabled: false, pools: [] }],
    ['pools', { nat: 'enable', ippool: 'enable', poolname: named('p1', 'p2') }, { enabled: true, pools: ['p1', 'p2'] }],
    ['a pool that no command can name', { nat: 'enable', ippool: 'enable', poolname: named('a"') }, null],
    ['pools that are not named', { nat: 'enable', ippool: 'enable' }, null],
    ['not said', {}, null],
  ])('reads the address translation: %s', (_, settings, nat) => {
    expect(parsePolicy(7, { ...applied, ...settings })?.policy.nat).toEqual(nat);
  });

  it.each([
    ['always', 'always'],
    ['a"\nend', null],
    [undefined, null],
  ])('reads the schedule %j', (schedule, expected) => {
    expect(parsePolicy(7, { ...applied, schedule })?.policy.schedule).toBe(expected);
  });

  it('leaves out profiles that are switched off', () => {
    expect(parsePolicy(7, { ...applied, 'utm-status': 'disable' })?.policy.securityProfiles).toEqual([]);
  });

  it('goes by the group where the policy does', () => {
    expect(parsePolicy(7, { ...applied, 'profile-type': 'group', 'profile-group': 'g' })?.profileGroup).toBe('g');
    expect(parsePolicy(7, { ...applied, 'profile-type': 'single', 'profile-group': 'g' })?.profileGroup).toBe(null);
  });

  it('is nothing without an action', () => {
    expect(parsePolicy(7, { name: 'out' })).toBe(null);
  });
});

describe('parseSslProfile', () => {
  it.each<[string, Readonly<Record<string, unknown>>, string | undefined]>([
    ['off', { https: { status: 'disable', ports: [443] } }, 'none'],
    ['certificate', { https: { status: 'certificate-inspection', ports: 443 } }, 'certificate'],
    ['deep', { https: { status: 'deep-inspection', ports: '443 8443' } }, 'deep'],
    ['deep on another port', { https: { status: 'deep-inspection', ports: [8443] } }, 'none'],
    ['deep, ports not readable', { https: { status: 'deep-inspection' } }, 'deep'],
    ['all ports', { ssl: { 'inspect-all': 'deep-inspection' }, https: { status: 'disable' } }, 'deep'],
    ['all ports off, HTTPS on', { ssl: { 'inspect-all': 'disable' }, https: { status: 'deep-inspection' } }, 'deep'],
    ['all ports off alone', { ssl: { 'inspect-all': 'disable' } }, 'none'],
    ['an unknown word', { https: { status: 'quantum' } }, undefined],
    ['nothing', {}, undefined],
  ])('%s', (_, result, mode) => {
    expect(parseSslProfile(result, 443)?.mode).toBe(mode);
  });
});
