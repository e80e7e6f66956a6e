import { describe, expect, test } from 'vitest';
import { headerFacts, parseHttpDate } from '../../../../src/network/http/request.ts';

describe('parseHttpDate', () => {
  test.each([
    ['Tue, 24 Nov 2026 13:00:05 GMT', Date.UTC(2026, 10, 24, 13, 0, 5)],
    ['Sun Nov  6 08:49:37 1994', Date.UTC(1994, 10, 6, 8, 49, 37)],
    ['Sun Nov 16 08:49:37 1994', Date.UTC(1994, 10, 16, 8, 49, 37)],
  ])('reads %s whatever the zone of the machine', (text, at) => {
    expect(parseHttpDate(text)).toBe(at);
  });

  test.each([
    [null],
    [''],
    ['1'],
    ['Tue, 24 Nov 2026 13:00:05 +0100'],
    ['2026-11-24T13:00:05Z'],
    ['Tue, 99 Nov 2026 13:00:05 GMT'],
    ['x'.repeat(10_000)],
  ])('does not take %j for a date', (text) => {
    expect(parseHttpDate(text)).toBeNull();
  });
});

describe('headerFacts', () => {
  test('names what proxies add, with the value of via only', () => {
    expect(
      headerFacts({
        server: 'x',
        'zsa-client-id': 'secret',
        'x-squid-error': 'ERR_ACCESS_DENIED 0',
        'x-cache': 'Miss from cloudfront',
        'x-cache-lookup': 'NONE from p:3128',
        'x-iwsaas-via': 'x',
        via: ['1.1 a', '1.1 b'],
      }).proxyTraces,
    ).toEqual(['via: 1.1 a', 'x-cache-lookup', 'x-iwsaas-via', 'x-squid-error', 'zsa-client-id']);
  });

  test('is bounded and harmless, whatever was sent', () => {
    const many = Object.fromEntries(
      Array.from({ length: 100 }, (_, index) => [`zsa-${'x'.repeat(500)}${String(index)}`, 'x']),
    );
    const { proxyTraces: traces } = headerFacts({ ...many, via: '\u001B[2J\u202E' });
    expect(traces).toHaveLength(16);
    expect(traces.every((trace) => /^[ -~…]{1,160}$/u.test(trace))).toBe(true);
  });

  test('cuts long names of servers', () => {
    expect(headerFacts({}).server).toBeNull();
    expect(headerFacts({ server: 'x'.repeat(5000) }).server).toHaveLength(128);
  });

  test('takes the first of several', () => {
    expect(headerFacts({ server: ['a', 'b'] }).server).toBe('a');
  });
});
