import { describe, expect, test } from 'vitest';
import { areRelatedHosts, matchesName } from '../../../../src/tls/extensions.ts';
import { createIdentity } from '../../../../src/demo/lab/identity.ts';
import { certificateOf } from '../../../support/certificates/chains.ts';

const base = certificateOf(await createIdentity({ name: 'CN=cn.example.org' }));
const named = (dnsNames: readonly string[], ipAddresses: readonly string[] = []): typeof base => ({
  ...base,
  dnsNames,
  ipAddresses,
});

describe('matchesName()', () => {
  test.each([
    { pattern: 'a.example.org', name: 'a.example.org', matches: true },
    { pattern: 'A.Example.ORG', name: 'a.example.org.', matches: true },
    { pattern: 'b.example.org', name: 'a.example.org', matches: false },
    { pattern: '*.example.org', name: 'a.example.org', matches: true },
    { pattern: '*.example.org', name: 'b.a.example.org', matches: false },
    { pattern: '*.example.org', name: 'example.org', matches: false },
    { pattern: '*.org', name: 'example.org', matches: false },
    { pattern: '*', name: 'example', matches: false },
    { pattern: 'a*.example.org', name: 'ab.example.org', matches: false },
    { pattern: 'a.*.org', name: 'a.example.org', matches: false },
    { pattern: '*.*.org', name: 'a.example.org', matches: false },
    { pattern: '', name: '', matches: false },
    { pattern: 'a.example.org\\u{0}.evil.example', name: 'a.example.org', matches: false },
    { pattern: '192.0.2.1', name: '192.0.2.1', matches: false },
    { pattern: '*.example.org', name: '.example.org', matches: false },
    // A text that is not a host name matches nothing, not even itself.
    { pattern: ' a.example.org', name: ' a.example.org', matches: false },
    { pattern: 'a.example.org ', name: 'a.example.org ', matches: false },
  ])('$pattern for $name: $matches', ({ pattern, name, matches }) => {
    expect(matchesName(named([pattern]), name, { commonName: true })).toBe(matches);
  });

  test.each([
    { address: '192.0.2.1', name: '192.0.2.1', matches: true },
    { address: '2001:DB8:0:0:0:0:0:1', name: '2001:db8::1', matches: true },
    { address: '192.0.2.2', name: '192.0.2.1', matches: false },
    { address: 'garbage', name: '192.0.2.1', matches: false },
  ])('address $address for $name: $matches', ({ address, name, matches }) => {
    expect(matchesName(named([], [address]), name, { commonName: true })).toBe(matches);
  });

  test('counts the CN only where there is no dNSName, and only when told to', () => {
    expect(matchesName(named([]), 'cn.example.org', { commonName: true })).toBe(true);
    expect(matchesName(named([]), 'cn.example.org', { commonName: false })).toBe(false);
    expect(matchesName(named(['a.example.org']), 'cn.example.org', { commonName: true })).toBe(false);
  });

  test('takes any of several CNs', async () => {
    const several = certificateOf(await createIdentity({ name: 'CN=A portal, CN=cn.example.org' }));
    expect(matchesName(several, 'cn.example.org', { commonName: true })).toBe(true);
  });
});

describe('areRelatedHosts()', () => {
  test.each([
    ['a.fortinet.com', 'b.fortinet.com', true],
    ['fortinet.com', 'www.Fortinet.com.', true],
    ['a.fortinet.com', 'www.iana.org', false],
    ['a.fortinet.com', 'b.example.com', false],
    ['192.0.2.1', '192.0.2.1', true],
    ['192.0.2.1', '203.0.2.1', false],
  ])('%s and %s: %s', (left, right, related) => {
    expect(areRelatedHosts(left, right)).toBe(related);
  });
});
