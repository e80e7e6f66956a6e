import { describe, expect, test } from 'vitest';
import { LoginLimit, networkOf } from '../../../src/web/login.ts';
import { handClock } from '../../support/time/hand-clock.ts';

/** Returns how many of these tries are granted. */
function granted(limit: LoginLimit, network: (index: number) => string, tries: number): number {
  return Array.from({ length: tries }, (_, index) => limit.take(network(index))).filter((wait) => wait === null).length;
}

describe('LoginLimit', () => {
  test('grants a network ten at once and one every six seconds', () => {
    const clock = handClock(0);
    const limit = new LoginLimit(clock);

    expect(granted(limit, () => 'a', 50)).toBe(10);
    expect(limit.take('a')).toBe(6_000);
    clock.advance(5_999);
    expect(limit.take('a')).toBeCloseTo(1);
    clock.advance(1);
    expect(limit.take('a')).toBeNull();
    clock.advance(3_600_000);
    expect(granted(limit, () => 'a', 50)).toBe(10);
  });

  test('grants everybody together forty at once and one a second', () => {
    const clock = handClock(0);
    const limit = new LoginLimit(clock);

    expect(granted(limit, String, 10_000)).toBe(40);
    expect(limit.take('new')).toBe(1_000);
    clock.advance(10_000);
    expect(granted(limit, (index) => `later ${String(index)}`, 10_000)).toBe(10);
  });

  test('grants who was right before, whatever others do, and not more than ten', () => {
    const limit = new LoginLimit(handClock(0));
    limit.trust('good');

    granted(limit, String, 10_000);

    expect(granted(limit, () => 'good', 50)).toBe(10);
    expect(limit.take('bad')).not.toBeNull();
  });

  test('trusts for a day', () => {
    const clock = handClock(0);
    const limit = new LoginLimit(clock);
    limit.trust('good');

    clock.advance(24 * 3_600_000 - 1);
    expect(limit.isTrusted('good')).toBe(true);
    clock.advance(1);
    expect(limit.isTrusted('good')).toBe(false);
  });

  test('counts what is given back as never taken', () => {
    const limit = new LoginLimit(handClock(0));

    for (let index = 0; index < 1_000; index += 1) {
      expect(limit.take('a')).toBeNull();
      limit.giveBack('a');
    }
    expect(granted(limit, () => 'a', 50)).toBe(10);
  });

  test('keeps no more than 4,096 networks, those that came last', () => {
    const limit = new LoginLimit(handClock(0));

    for (let index = 0; index <= 4_096; index += 1) limit.trust(String(index));

    expect(limit.isTrusted('0')).toBe(false);
    expect(limit.isTrusted('1')).toBe(true);
    expect(limit.isTrusted('4096')).toBe(true);
  });
});

describe('networkOf()', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2::1', '20010db800010002/64'],
    ['2001:db8:1:2:ffff:ffff:ffff:ffff', '20010db800010002/64'],
    ['2001:db8:1:3::1', '20010db800010003/64'],
    ['fe80::1%eth0', 'fe80000000000000/64'],
    ['::1', '0000000000000000/64'],
    ['', 'unknown'],
    [undefined, 'unknown'],
  ])('%s is of %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});
