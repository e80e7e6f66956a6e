import { Hono } from 'hono';
import { describe, expect, test } from 'vitest';
import { isForeignOrigin, refuseForeignNames } from '../../../src/web/access.ts';

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
    // Nobody can register a name of one label.
    ['ftm-watch:9843', 200],
    ['ftm-watch.', 200],
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
