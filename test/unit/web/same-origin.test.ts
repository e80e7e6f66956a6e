import { describe, expect, test } from 'vitest';
import { isForeignOrigin, isLocalName, isOwnName } from '../../../src/web/change-refusal.ts';

const headers = (given: Readonly<Record<string, string | undefined>>) => (name: string) => given[name];

describe('isForeignOrigin()', () => {
  test.each([
    ['curl', undefined, undefined],
    ['a page of our own', 'http://10.0.0.7:9843', 'same-origin'],
    ['an old browser on our own page', 'http://10.0.0.7:9843', undefined],
    ['somebody who typed the address', undefined, 'none'],
  ])('lets %s pass', (_, origin, fetchSite) => {
    expect(isForeignOrigin(headers({ Host: '10.0.0.7:9843', Origin: origin, 'Sec-Fetch-Site': fetchSite }))).toBe(
      false,
    );
  });

  test.each([
    ['a page of another site', 'https://evil.example', 'cross-site'],
    ['another port of this host', 'http://10.0.0.7:8080', 'same-site'],
    ['an old browser on another page', 'https://evil.example', undefined],
    ['a sandboxed frame', 'null', undefined],
    ['a page that hides its origin', undefined, 'cross-site'],
  ])('refuses %s', (_, origin, fetchSite) => {
    expect(isForeignOrigin(headers({ Host: '10.0.0.7:9843', Origin: origin, 'Sec-Fetch-Site': fetchSite }))).toBe(true);
  });
});

test('isForeignOrigin() is true of an origin that cannot be read, also of a request without a host', () => {
  expect(isForeignOrigin(headers({ Origin: 'null' }))).toBe(true);
});

describe('isOwnName()', () => {
  test.each([
    ['127.0.0.1:9843', true],
    ['10.0.0.7', true],
    ['[::1]:9843', true],
    ['localhost:9843', true],
    ['LOCALHOST', true],
    ['monitor.example.org:9843', true],
    ['Monitor.Example.Org.', true],
    ['evil.example:9843', false],
    ['localhost.evil.example', false],
    ['monitor.example.org.evil.example', false],
    ['127.0.0.1.evil.example', false],
    ['2130706433', false],
    ['0x7f000001', false],
    ['monitor', false],
    ['', false],
    [undefined, false],
  ])('%s: %s', (host, expected) => {
    expect(isOwnName(host, ['monitor.example.org'])).toBe(expected);
  });
});

describe('isLocalName()', () => {
  test.each([
    ['ftm-watch:9843', true],
    ['ftm-watch.', true],
    ['ftm-watch.example', false],
    ['[::1]:80', false],
    ['', false],
    [undefined, false],
  ])('%s: %s', (host, expected) => {
    expect(isLocalName(host)).toBe(expected);
  });
});
