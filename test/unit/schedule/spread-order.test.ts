import { describe, expect, test } from 'vitest';

import { spreadOrder } from '../../../src/schedule/spread-order.ts';

const HOSTS = Array.from(
  { length: 100 },
  (_, index) => `host-${String(Math.floor(index / 10))}:${String(1000 + index)}`,
);
const order = (hosts: readonly string[], seed = 'hq'): readonly string[] => spreadOrder(hosts, (host) => host, seed);

describe('spreadOrder()', () => {
  test('has all items, in an order that does not depend on that of the list', () => {
    expect(order(HOSTS).toSorted()).toEqual(HOSTS.toSorted());
    expect(order(HOSTS.toReversed())).toEqual(order(HOSTS));
  });

  test('keeps the others in their order when one comes or goes', () => {
    const [gone, ...others] = HOSTS;
    expect(order(others)).toEqual(order(HOSTS).filter((host) => host !== gone));
  });

  test('separates neighbours, and two sites with one list', () => {
    const hosts = order(HOSTS).map((host) => host.split(':', 1)[0]);
    expect(hosts.filter((host, index) => host === hosts[index - 1]).length).toBeLessThan(30);
    expect(order(HOSTS, 'branch')).not.toEqual(order(HOSTS));
  });
});
