import { describe, expect, test } from 'vitest';
import { authority, hostOf, portOf } from '../../../src/core/addresses.ts';

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
