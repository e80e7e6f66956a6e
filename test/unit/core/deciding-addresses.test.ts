import { describe, expect, test } from 'vitest';
import { ofFamily, servedFamily } from '../../../src/core/addresses.ts';
import { decidingAddresses, type TcpOutcome } from '../../../src/core/observation.ts';
import { endpoint, failed, open } from '../../support/checks/observed.ts';

const A = '173.243.138.84';
const B = '173.243.138.85';
const V6 = '2001:db8::84';
const NAT64 = '64:ff9b::adf3:8a54';

describe('the addresses that decide', () => {
  test.each<readonly [string, Readonly<Record<string, TcpOutcome>>, readonly string[]]>([
    ['those of IPv4 beside IPv6', { [A]: open(), [B]: failed('timeout'), [V6]: open() }, [A, B]],
    ['those of IPv4, though none opens', { [A]: failed('timeout'), [V6]: open() }, [A]],
    ['those of IPv6, where there are no others', { [V6]: failed('timeout') }, [V6]],
    ['those of IPv6, where this machine has no route for IPv4', { [A]: failed('no-route'), [V6]: open() }, [V6]],
    [
      'those of IPv4, where a router says that there is no route',
      { [A]: { ...failed('no-route'), beyond: true }, [V6]: open() },
      [A],
    ],
    [
      'those of IPv4, where this machine has no route at all',
      { [A]: failed('no-route'), [V6]: failed('no-route') },
      [A],
    ],
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
