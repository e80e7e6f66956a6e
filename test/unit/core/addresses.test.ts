import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addressFamily,
  addressInAny,
  classifyAddress,
  singleAddresses,
  sinkholeOwner,
  translatedFrom,
  uniqueAddresses,
  authority,
  hostOf,
  ofFamily,
  portOf,
  servedFamily,
} from '../../../src/core/addresses.ts';
import { decidingAddresses, type TcpOutcome } from '../../../src/core/observation.ts';
import { endpoint, failed, open } from '../../support/checks/observed.ts';

describe('translatedFrom()', () => {
  const IPV4 = '192.0.2.33';

  // The examples of RFC 6052 §2.4.
  test.each([
    '2001:db8:c000:221::',
    '2001:db8:1c0:2:21::',
    '2001:db8:122:c000:2:2100::',
    '2001:db8:122:3c0:0:221::',
    '2001:db8:122:344:c0:2:2100::',
    '2001:db8:122:344::192.0.2.33',
    '64:ff9b::c000:221',
    '2001:db8:122:344:1:2:c000:221',
  ])('finds the address in %s', (address) => {
    expect(translatedFrom(address, ['192.0.2.1', IPV4])).toBe(IPV4);
  });

  test.each([
    '2001:db8:c000:221:100::',
    '2001:db8:c000:221::1',
    '2001:db8:1c0:2:21::1',
    '2001:db8:122:344:1c0:2:2100::',
    '2001:db8:122:344:c0:2:2100:1',
    '2001:db8:122:344::192.0.2.34',
    '2001:db8::1',
    IPV4,
    'no address',
  ])('finds none in %s', (address) => {
    expect(translatedFrom(address, ['192.0.2.1', IPV4])).toBeNull();
  });

  test('says nothing of an address whose IPv4 twin the name has not', () => {
    expect(translatedFrom('2001:db8:122:344::192.0.2.33', ['192.0.2.34'])).toBeNull();
    expect(translatedFrom('2001:db8:122:344::192.0.2.33', [])).toBeNull();
  });
});

describe('classifyAddress', () => {
  const KINDS = {
    public:
      '173.243.138.84 8.8.8.8 2001:4860:4860::8888 192.31.196.1 172.32.0.1 ::ffff:173.243.138.84 ' +
      '64:ff9b::173.243.138.84 208.91.112.54 208.91.113.53 146.112.61.103 146.112.61.111',
    private: '10.1.2.3 172.16.0.1 192.168.1.1 fd00::1 fec0::1 ::ffff:10.0.0.1 64:ff9b::10.0.0.1',
    loopback: '127.0.0.1 127.255.0.1 ::1',
    'link-local': '169.254.1.1 fe80::1',
    unspecified: '0.0.0.0 ::',
    bogon:
      '100.64.0.1 192.0.2.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 240.0.0.1 255.255.255.255 ' +
      '2001:db8::1 100::1 ff02::1',
    sinkhole: '208.91.112.55 2001:cdba::3257:9652 146.112.61.104 146.112.61.110 ::ffff:146.112.61.106 72.5.65.111',
  };

  test.each(Object.entries(KINDS).flatMap(([kind, all]) => all.split(' ').map((address) => [address, kind] as const)))(
    'calls %s %s',
    (address, expected) => {
      expect(classifyAddress(address)).toBe(expected);
    },
  );

  test.each(['', 'localhost', '10', '0x7f.1', '1.2.3', '1.2.3.4.5', '10.0.0.0/8', ' 10.0.0.1', '010.0.0.1'])(
    'takes "%s" for no address',
    (text) => {
      expect(classifyAddress(text)).toBeNull();
      expect(addressFamily(text)).toBeNull();
    },
  );

  test('classifies every address without an exception', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
        expect(classifyAddress(address)).not.toBeNull();
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        classifyAddress(text);
        addressInAny(text, [text]);
        uniqueAddresses([text]);
      }),
    );
  });
});

test('sinkholeOwner names who blocks', () => {
  expect(sinkholeOwner('208.91.112.55')).toBe('FortiGuard DNS filter');
  expect(sinkholeOwner('8.8.8.8')).toBeNull();
});

describe('addressInAny', () => {
  test.each([
    ['173.243.138.84', ['173.243.138.0/24'], true],
    ['173.243.139.84', ['173.243.138.0/24'], false],
    ['173.243.138.84', ['10.0.0.0/8', '173.243.138.84'], true],
    ['173.243.138.84', ['0.0.0.0/0'], true],
    ['2001:db8::1', ['2001:db8::/32'], true],
    ['2001:db8::1', ['2001:0db8:0:0::1'], true],
    ['2001:db8::1', ['0.0.0.0/0'], false],
    ['10.0.0.1', ['::/0'], false],
    ['::ffff:10.0.0.1', ['10.0.0.0/8'], true],
    ['10.0.0.1', ['::ffff:10.0.0.1'], true],
    ['10.0.0.1', [], false],
    ['10.0.0.1', ['nonsense', '10.0.0.0/99', '10'], false],
    ['nonsense', ['0.0.0.0/0'], false],
  ])('%s in %j: %s', (address, blocks, expected) => {
    expect(addressInAny(address, blocks)).toBe(expected);
  });
});

test('singleAddresses leaves blocks out', () => {
  expect(singleAddresses(['173.243.138.0/24', '173.243.138.84', '2001:db8::1', 'x'])).toEqual([
    '173.243.138.84',
    '2001:db8::1',
  ]);
});

test('uniqueAddresses gives each address once, IPv4 first, otherwise in the given order', () => {
  expect(uniqueAddresses(['2001:db8::1', '10.0.0.2', '2001:0DB8::1', '10.0.0.1', '10.0.0.2', 'x'])).toEqual([
    '10.0.0.2',
    '10.0.0.1',
    '2001:db8::1',
  ]);
});

describe('hostOf()', () => {
  test.each([
    ['a.example:443', 'a.example'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['192.0.2.1:443', '192.0.2.1'],
    ['bare', 'bare'],
  ])('%s is %s', (target, host) => {
    expect(hostOf(target)).toBe(host);
  });
});

describe('portOf()', () => {
  test.each(['a.example', '2001:db8::1', '192.0.2.1'])('of %s is what was joined with it, as is the host', (host) => {
    const target = authority({ host, port: 8443 });
    expect([hostOf(target), portOf(target)]).toEqual([host, '8443']);
  });
});

const A = '173.243.138.84';
const B = '173.243.138.85';
const V6 = '2001:db8::84';
const NAT64 = '64:ff9b::adf3:8a54';

describe('the addresses that decide', () => {
  test.each<readonly [string, Readonly<Record<string, TcpOutcome>>, readonly string[]]>([
    ['those of IPv4 beside IPv6', { [A]: open(), [B]: failed('timeout'), [V6]: open() }, [A, B]],
    ['those of IPv4, though none opens', { [A]: failed('timeout'), [V6]: open() }, [A]],
    ['those of IPv6, where there are no others', { [V6]: failed('timeout') }, [V6]],
    ['those of IPv6, where IPv4 has no route here', { [A]: failed('no-route'), [V6]: open() }, [V6]],
    [
      'those of IPv4, where a router says that there is no route',
      { [A]: { ...failed('no-route'), beyond: true }, [V6]: open() },
      [A],
    ],
    ['those of IPv4, where nothing has a route here', { [A]: failed('no-route'), [V6]: failed('no-route') }, [A]],
    ['those behind NAT64 as IPv4', { [NAT64]: open(), [V6]: open() }, [NAT64]],
    ['the name that a proxy resolves', { 'server.test': open() }, ['server.test']],
    ['none of none', {}, []],
  ])('are %s', (_, outcomes, expected) => {
    const endpoints = Object.entries(outcomes).map(([address, tcp]) => endpoint(address, tcp));
    expect(decidingAddresses(endpoints).map(({ address }) => address)).toEqual(expected);
  });
});

test.each([
  [A, 4],
  [NAT64, 4],
  ['::ffff:173.243.138.84', 4],
  [V6, 6],
  ['64:ff9b:1::1', 6],
  ['server.test', null],
])('%s leads to IPv%s', (address, family) => {
  expect(servedFamily(address)).toBe(family);
});

test('a family that is asked for is dialled alone', () => {
  const all = [A, V6, NAT64];
  expect([ofFamily(all, 'auto'), ofFamily(all, 4), ofFamily(all, 6)]).toEqual([all, [A, NAT64], [V6]]);
});
