import { describe, expect, test } from 'vitest';
import { foreignOrigin, isCalledByAddress } from '../../../src/web/same-origin.ts';

describe('foreignOrigin()', () => {
  test.each([
    ['curl', undefined, undefined],
    ['a page of our own', 'http://10.0.0.7:9843', 'same-origin'],
    ['an old browser on our own page', 'http://10.0.0.7:9843', undefined],
    ['somebody who typed the address', undefined, 'none'],
  ])('lets %s pass', (_, origin, fetchSite) => {
    expect(foreignOrigin({ host: '10.0.0.7:9843', origin, fetchSite })).toBeNull();
  });

  test.each([
    ['a page of another site', 'https://evil.example', 'cross-site'],
    ['another port of this host', 'http://10.0.0.7:8080', 'same-site'],
    ['an old browser on another page', 'https://evil.example', undefined],
    ['a sandboxed frame', 'null', undefined],
    ['a page that hides its origin', undefined, 'cross-site'],
  ])('refuses %s', (_, origin, fetchSite) => {
    expect(foreignOrigin({ host: '10.0.0.7:9843', origin, fetchSite })).toBe('Refused: the request comes from a page of another origin');
  });
});

describe('isCalledByAddress()', () => {
  test.each([
    ['127.0.0.1:9843', true],
    ['10.0.0.7', true],
    ['[::1]:9843', true],
    ['localhost:9843', true],
    ['evil.example:9843', false],
    ['localhost.evil.example', false],
    ['', false],
    [undefined, false],
  ])('%s: %s', (host, expected) => {
    expect(isCalledByAddress(host)).toBe(expected);
  });
});
