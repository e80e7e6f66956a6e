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
} from '../../../src/core/addresses.ts';

describe('translatedFrom()', () => {
  const IPV4 = '192.0.2.33';

  // The examples of RFC 6052 §2.4, and similar addresses without an embedded IPv4 address.
  test.each([
    ['2001:db8:c000:221::', IPV4],
    ['2001:db8:1c0:2:21::', IPV4],
    ['2001:db8:122:c000:2:2100::', IPV4],
    ['2001:db8:122:3c0:0:221::', IPV4],
    ['2001:db8:122:344:c0:2:2100::', IPV4],
    ['2001:db8:122:344::192.0.2.33', IPV4],
    ['64:ff9b::c000:221', IPV4],
    ['2001:db8:122:344:1:2:c000:221', IPV4],
    ['2001:db8:c000:221:100::', null],
    ['2001:db8:c000:221::1', null],
    ['2001:db8:1c0:2:21::1', null],
    ['2001:db8:122:344:1c0:2:2100::', null],
    ['2001:db8:122:344:c0:2:2100:1', null],
    ['2001:db8:122:344::192.0.2.34', null],
    ['2001:db8::1', null],
    [IPV4, null],
    ['no address', null],
  ])('%s: %s', (address, expected) => {
    expect(translatedFrom(address, ['192.0.2.1', IPV4])).toBe(expected);
  });

  test('says nothing of an address whose IPv4 twin the name has not', () => {
    expect(translatedFrom('2001:db8:122:344::192.0.2.33', ['192.0.2.34'])).toBeNull();
    expect(translatedFrom('2001:db8:122:344::192.0.2.33', [])).toBeNull();
  });
});

describe('classifyAddress', () => {
  test.each([
    ['173.243.138.84', 'public'],
    ['8.8.8.8', 'public'],
    ['2001:4860:4860::8888', 'public'],
    ['192.31.196.1', 'public'],
    ['10.1.2.3', 'private'],
    ['172.16.0.1', 'private'],
    ['172.32.0.1', 'public'],
    ['192.168.1.1', 'private'],
    ['fd00::1', 'private'],
    ['fec0::1', 'private'],
    ['127.0.0.1', 'loopback'],
    ['127.255.0.1', 'loopback'],
    ['::1', 'loopback'],
    ['169.254.1.1', 'link-local'],
    ['fe80::1', 'link-local'],
    ['0.0.0.0', 'unspecified'],
    ['::', 'unspecified'],
    ['100.64.0.1', 'bogon'],
    ['192.0.2.1', 'bogon'],
    ['198.18.0.1', 'bogon'],
    ['198.51.100.1', 'bogon'],
    ['203.0.113.1', 'bogon'],
    ['224.0.0.1', 'bogon'],
    ['240.0.0.1', 'bogon'],
    ['255.255.255.255', 'bogon'],
    ['2001:db8::1', 'bogon'],
    ['100::1', 'bogon'],
    ['ff02::1', 'bogon'],
    ['::ffff:10.0.0.1', 'private'],
    ['::ffff:173.243.138.84', 'public'],
    ['64:ff9b::10.0.0.1', 'private'],
    ['64:ff9b::173.243.138.84', 'public'],
    ['208.91.112.55', 'sinkhole'],
    ['2001:cdba::3257:9652', 'sinkhole'],
    ['208.91.112.54', 'public'],
    ['208.91.113.53', 'public'],
    ['146.112.61.103', 'public'],
    ['146.112.61.104', 'sinkhole'],
    ['146.112.61.110', 'sinkhole'],
    ['146.112.61.111', 'public'],
    ['::ffff:146.112.61.106', 'sinkhole'],
    ['72.5.65.111', 'sinkhole'],
  ])('calls %s %s', (address, expected) => {
    expect(classifyAddress(address)).toBe(expected);
  });

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
