import { describe, expect, test } from 'vitest';
import { createAttribution, isReliable } from '../../../src/logs/senders.ts';
import { NO_OTHERS } from '../../support/logs/no-others.ts';

const two = [
  { name: 'fac-1', logSources: ['10.0.0.5', 'fac01.example.org'] },
  { name: 'fac-2', logSources: ['2001:db8::5', 'fac02'] },
];

describe('createAttribution', () => {
  test('welcomes everybody while no appliance is configured', () => {
    const attribution = createAttribution([], NO_OTHERS);
    expect(attribution.sender('10.9.9.9')).toEqual({ kind: 'appliance', appliance: null, isKnown: false });
    expect(attribution.file()).toEqual({ kind: 'appliance', appliance: null, isKnown: true });
  });

  test.each([
    { address: '10.0.0.5', origin: { kind: 'appliance', appliance: 'fac-1', isKnown: true } },
    { address: '::ffff:10.0.0.5', origin: { kind: 'appliance', appliance: 'fac-1', isKnown: true } },
    { address: '2001:DB8:0::5', origin: { kind: 'appliance', appliance: 'fac-2', isKnown: true } },
    { address: '10.0.0.6', origin: { kind: 'unproven' } },
    { address: '10.0.0.1', origin: { kind: 'firewall' } },
  ])('knows $address', ({ address, origin }) => {
    expect(createAttribution(two, { firewalls: ['10.0.0.1'], relays: [] }).sender(address)).toEqual(origin);
  });

  test.each([
    { host: 'fac01.example.org', appliance: 'fac-1' },
    { host: 'FAC01.EXAMPLE.ORG', appliance: 'fac-1' },
    { host: '10.0.0.5', appliance: 'fac-1' },
    { host: 'fac02', appliance: 'fac-2' },
    { host: 'fac02.example.org', appliance: 'fac-2' },
    { host: '2001:db8:0:0::5', appliance: 'fac-2' },
    { host: 'fac01', appliance: undefined },
    { host: 'constructor', appliance: undefined },
    { host: '__proto__', appliance: undefined },
  ])('finds the owner of the host $host', ({ host, appliance }) => {
    expect(createAttribution(two, NO_OTHERS).host(host)).toBe(appliance);
  });

  test.each(['10.0.0.5', '2001:db8::5', '2001:DB8:0::5', 'fac01', 'constructor'])(
    'believes nobody who writes the host %s',
    (host) => {
      expect(createAttribution(two, NO_OTHERS).hostName(host)).toBeUndefined();
    },
  );

  test.each([
    { appliances: two, relays: [], address: '10.0.0.9', kind: 'unproven' },
    { appliances: [{ name: 'fac-1', logSources: ['10.0.0.5'] }], relays: [], address: '10.0.0.9', kind: 'foreign' },
    { appliances: two, relays: ['10.0.0.9'], address: '10.0.0.9', kind: 'relay' },
    { appliances: two, relays: ['10.1.0.0/16', '2001:db8:9::/48'], address: '::ffff:10.1.2.3', kind: 'relay' },
    { appliances: two, relays: ['10.1.0.0/16', '2001:db8:9::/48'], address: '2001:db8:9::1', kind: 'relay' },
    { appliances: two, relays: ['10.0.0.9'], address: '10.0.0.8', kind: 'foreign' },
    { appliances: two, relays: ['10.0.0.9'], address: '10.0.0.5', kind: 'appliance' },
    { appliances: [{ name: 'fac-1', logSources: [] }], relays: ['10.0.0.9'], address: '10.0.0.9', kind: 'appliance' },
    { appliances: [{ name: 'fac-1', logSources: [] }], relays: ['10.0.0.9'], address: '10.0.0.8', kind: 'foreign' },
    { appliances: [], relays: ['10.0.0.9'], address: '10.0.0.8', kind: 'foreign' },
  ])('takes $address for $kind where the relays are $relays', ({ appliances, relays, address, kind }) => {
    expect(createAttribution(appliances, { firewalls: [], relays }).sender(address).kind).toBe(kind);
  });

  test('believes a file, whatever sends over the network', () => {
    expect(createAttribution(two, NO_OTHERS).file()).toEqual({ kind: 'relay' });
    expect(createAttribution(two, { firewalls: [], relays: ['10.0.0.9'] }).file()).toEqual({ kind: 'relay' });
  });

  test('gives every line to an only appliance that names no source', () => {
    expect(createAttribution([{ name: 'fac-1', logSources: [] }], NO_OTHERS).sender('10.9.9.9')).toEqual({
      kind: 'appliance',
      appliance: 'fac-1',
      isKnown: false,
    });
  });

  test('calls everybody foreign when several appliances name no source', () => {
    const attribution = createAttribution(
      [
        { name: 'a', logSources: [] },
        { name: 'b', logSources: [] },
      ],
      NO_OTHERS,
    );
    expect(attribution.sender('10.9.9.9')).toEqual({ kind: 'foreign' });
  });
});

test.each<{ from: string; site: Parameters<typeof createAttribution>; address: string; reliable: boolean }>([
  { from: 'a unit', site: [two, NO_OTHERS], address: '10.0.0.5', reliable: true },
  { from: 'a relay', site: [two, { firewalls: [], relays: ['10.0.0.9'] }], address: '10.0.0.9', reliable: true },
  {
    from: 'a relay, without units',
    site: [[], { firewalls: [], relays: ['10.0.0.9'] }],
    address: '10.0.0.9',
    reliable: true,
  },
  { from: 'a firewall', site: [two, { firewalls: ['10.0.0.1'], relays: [] }], address: '10.0.0.1', reliable: true },
  { from: 'a unit that is known by name', site: [two, NO_OTHERS], address: '10.9.9.9', reliable: false },
  { from: 'anybody, as no unit is known', site: [[], NO_OTHERS], address: '10.9.9.9', reliable: false },
  {
    from: 'anybody, as the only unit names no source',
    site: [[{ name: 'fac-1', logSources: [] }], NO_OTHERS],
    address: '10.9.9.9',
    reliable: false,
  },
])(
  'a connection from $from is reliable: $reliable; a datagram never is, a file always',
  ({ site, address, reliable }) => {
    const attribution = createAttribution(...site);
    const origin = attribution.sender(address);
    expect(isReliable({ origin, source: 'tcp' })).toBe(reliable);
    expect(isReliable({ origin, source: 'tls' })).toBe(reliable);
    expect(isReliable({ origin, source: 'udp' })).toBe(false);
    expect(isReliable({ origin: attribution.file(), source: 'file' })).toBe(true);
  },
);

describe('a log source', () => {
  test.each([
    ['::ffff:10.0.0.5', '10.0.0.5'],
    ['[2001:DB8::1]', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['FAC01', 'fac01'],
    ['5', '5'],
  ])('%s is the same as %s', (host, logSource) => {
    expect(createAttribution([{ name: 'fac', logSources: [logSource] }], NO_OTHERS).host(host)).toBe('fac');
  });

  test('5 is not the address 0.0.0.5', () => {
    expect(createAttribution([{ name: 'fac', logSources: ['5'] }], NO_OTHERS).host('0.0.0.5')).toBeUndefined();
  });
});
