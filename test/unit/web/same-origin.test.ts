import { hostname } from 'node:os';
import { Hono } from 'hono';
import { describe, expect, test } from 'vitest';
import { isForeignOrigin, pageRefusal, refuseForeignNames } from '../../../src/web/access.ts';

const headers = (given: Readonly<Record<string, string | undefined>>) => (name: string) => given[name];

describe('isForeignOrigin()', () => {
  test.each([
    ['curl', undefined, undefined],
    ['a page of our own', 'http://10.0.0.7:9843', 'same-origin'],
    ['an old browser on our own page', 'http://10.0.0.7:9843', undefined],
    ['somebody who typed the address', undefined, 'none'],
  ])('lets %s pass', (_, origin, fetchSite) => {
    expect(
      isForeignOrigin(headers({ Host: '10.0.0.7:9843', Origin: origin, 'Sec-Fetch-Site': fetchSite }), false),
    ).toBe(false);
  });

  test.each([
    ['a page of another site', 'https://evil.example', 'cross-site'],
    ['another port of this host', 'http://10.0.0.7:8080', 'same-site'],
    ['an old browser on another page', 'https://evil.example', undefined],
    ['a sandboxed frame', 'null', undefined],
    ['a page that hides its origin', undefined, 'cross-site'],
  ])('refuses %s', (_, origin, fetchSite) => {
    expect(
      isForeignOrigin(headers({ Host: '10.0.0.7:9843', Origin: origin, 'Sec-Fetch-Site': fetchSite }), false),
    ).toBe(true);
  });
});

test('isForeignOrigin() is true of an origin that cannot be read, also of a request without a host', () => {
  expect(isForeignOrigin(headers({ Origin: 'null' }), false)).toBe(true);
});

test('isForeignOrigin() is true of the other scheme only where the own one is known', () => {
  const plain = headers({ Host: 'monitor:9843', Origin: 'http://monitor:9843' });
  expect([true, false].map((tls) => isForeignOrigin(plain, tls))).toEqual([true, false]);
  expect(isForeignOrigin(headers({ Host: 'monitor:9843', Origin: 'https://monitor:9843' }), true)).toBe(false);
});

describe('pageRefusal()', () => {
  const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
  const own = { Host: '10.0.0.7:9843' };

  test.each<readonly [string, Readonly<Record<string, string>>]>([
    ['curl', { 'User-Agent': 'curl/8.14.1' }],
    ['Prometheus', { 'User-Agent': 'Prometheus/3.7.0' }],
    ['a link on a page of our own', { 'User-Agent': FIREFOX, Referer: 'http://10.0.0.7:9843/' }],
    ['a typed address over TLS', { 'User-Agent': FIREFOX, 'Sec-Fetch-Site': 'none' }],
  ])('lets %s pass', (_, given) => {
    expect(pageRefusal(headers({ ...own, ...given }), false)).toBeNull();
  });

  test.each<readonly [string, Readonly<Record<string, string>>]>([
    ['an image on another site', { 'User-Agent': FIREFOX, Referer: 'http://evil.example/' }],
    ['one that hides its page', { 'User-Agent': FIREFOX }],
    ['a page of another site over TLS', { 'User-Agent': FIREFOX, 'Sec-Fetch-Site': 'cross-site' }],
    ['a program that says so', { Referer: 'http://evil.example/' }],
  ])('refuses %s', (_, given) => {
    expect(pageRefusal(headers({ ...own, ...given }), false)).not.toBeNull();
  });
});

describe('refuseForeignNames()', () => {
  const app = new Hono();
  app.use(refuseForeignNames(['monitor.example.org']));
  app.get('/', (context) => context.text('ok'));

  test.each([
    ['127.0.0.1:9843', 200],
    ['10.0.0.7', 200],
    ['[::1]:9843', 200],
    ['localhost:9843', 200],
    ['LOCALHOST', 200],
    ['monitor.example.org:9843', 200],
    ['Monitor.Example.Org.', 200],
    [`${hostname()}:9843`, 200],
    // An attacker's machine can have any other name of one label.
    ['ftm-watch:9843', 421],
    ['ftm-watch.', 421],
    ['evil.example:9843', 421],
    ['localhost.evil.example', 421],
    ['monitor.example.org.evil.example', 421],
    ['127.0.0.1.evil.example', 421],
    ['ftm-watch.example', 421],
    ['', 421],
    [undefined, 421],
  ])('%s: %d', async (host, status) => {
    const response = await app.request('/', host === undefined ? {} : { headers: { Host: host } });

    expect(response.status).toBe(status);
  });
});
