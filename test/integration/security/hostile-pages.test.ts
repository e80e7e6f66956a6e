import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Silence } from '../../../src/engine/incident/incident.ts';
import { hashPassword } from '../../../src/web/password-hash.ts';
import { diagnosisOf } from '../../support/checks/diagnosis-of.ts';
import { HOUR, START } from '../../support/store/incident-timeline.ts';
import {
  ACCOUNT_LOGIN,
  basicAuth,
  dial,
  startWeb,
  type WebBench,
  type WebBenchOptions,
} from '../../support/web/web-bench.ts';

const SILENCE: Silence = {
  id: 'silence-1',
  cause: null,
  subject: null,
  from: START,
  until: Date.now() + HOUR,
  by: 'Ada',
  comment: 'x',
};
const BODY = JSON.stringify({ duration: '2h', by: 'Mallory', comment: 'x' });
const CHANGES = [
  ['POST', '/-/reload', ''],
  ['POST', '/api/v1/silences', BODY],
  ['DELETE', '/api/v1/silences/silence-1', ''],
] as const;
/** All documented paths, which are all that exist, except those for orchestrators. */
const READS = [
  ...readFileSync(new URL('../../../docs/web.md', import.meta.url), 'utf8').matchAll(/^\| `GET (\S+)` \|/gmu),
]
  .map(([, path = '']) => path.replace(':name', 'style.css').replace(':id', 'x'))
  .filter((path) => !path.startsWith('/-/'));
const USERS = [{ name: 'ops', passwordHash: { kind: 'env', name: 'OPS_HASH' }, role: 'change' }] as const;

function open(more: Pick<WebBenchOptions, 'account' | 'config'> = {}): Promise<WebBench> {
  return startWeb({ ...more, state: { silences: [SILENCE], diagnosis: diagnosisOf(START, []) } });
}

/** Sends a request as a browser does for a malicious page. */
async function ask(port: number, line: string, headers: Readonly<Record<string, string>>, body = ''): Promise<number> {
  const all = {
    'Content-Type': 'application/json',
    'Content-Length': String(body.length),
    Connection: 'close',
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  using client = await dial(port, `${line} HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
  return Number(/^HTTP\/1\.1 (\d{3}) /u.exec(await client.until('\r\n'))?.[1]);
}

function isUntouched({ state }: WebBench): boolean {
  return state.reloads === 0 && state.silences.length === 1;
}

describe("a page of somebody else's, in the browser of an administrator", () => {
  test.each(
    CHANGES.flatMap(([method, path, body]) =>
      [
        { Origin: 'https://evil.example' },
        { Origin: 'null' },
        { Origin: 'http://127.0.0.1:1' },
        { Origin: 'http://127.0.0.1.evil.example' },
        { 'Sec-Fetch-Site': 'cross-site' },
        { 'Sec-Fetch-Site': 'same-site' },
      ].map((headers) => [method, path, headers, body] as const),
    ),
  )('%s %s with %j changes nothing', async (method, path, headers, body) => {
    // The browser adds the credentials.
    await using web = await open({ account: 'ops' });
    const host = { Host: `127.0.0.1:${String(web.port)}`, ...ACCOUNT_LOGIN };

    expect(await ask(web.port, `${method} ${path}`, { ...host, ...headers }, body)).toBe(403);
    expect(isUntouched(web)).toBe(true);
  });

  test.each([
    { Origin: 'https://evil.example' },
    { 'Sec-Fetch-Site': 'cross-site' },
    { 'X-Forwarded-For': '127.0.0.1' },
    { Host: 'monitor' },
    { Host: '2130706433' },
    { Host: '0x7f000001' },
  ])('cannot reload where "localReload" needs no login: %j', async (headers) => {
    await using web = await open({ config: { localReload: true } });
    const host = { Host: `127.0.0.1:${String(web.port)}` };

    const status = await ask(web.port, 'POST /-/reload', { ...host, ...headers });
    expect(status).toBe('Host' in headers ? 421 : 403);
    expect(isUntouched(web)).toBe(true);
    expect(await ask(web.port, 'POST /-/reload', host)).toBe(200);
  });

  test('cannot send a silence with a form', async () => {
    await using web = await open({ account: 'ops' });
    const host = { Host: `127.0.0.1:${String(web.port)}`, ...ACCOUNT_LOGIN };

    for (const type of ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain']) {
      expect(await ask(web.port, 'POST /api/v1/silences', { ...host, 'Content-Type': type }, BODY)).toBe(415);
    }
    expect(isUntouched(web)).toBe(true);
  });

  test('cannot make it probe', async () => {
    await using web = await open();

    expect(await ask(web.port, 'GET /probe?target=x', { Host: '127.0.0.1', 'Sec-Fetch-Site': 'cross-site' })).toBe(403);
  });

  test('gets no permission to read, whatever its origin', async () => {
    await using web = await open();

    const response = await web.get('/api/v1/status', { headers: { Origin: 'https://evil.example' } });

    expect([...response.headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
    expect(response.headers.get('Cross-Origin-Resource-Policy')).toBe('same-origin');
  });
});

describe('a page whose own name points here (DNS rebinding)', () => {
  const rebound = { Host: 'evil.example', Origin: 'http://evil.example', 'Sec-Fetch-Site': 'same-origin' };

  test('reads no more than numbers, which a Prometheus may ask for by any name', async () => {
    await using web = await open();

    expect(await ask(web.port, 'GET /metrics', { Host: 'evil.example' })).toBe(200);
  });

  test.each(READS.filter((path) => path !== '/metrics'))('reads nothing of %s', async (path) => {
    await using web = await open();
    expect(READS.length).toBeGreaterThan(8);

    for (const host of [
      'evil.example',
      'evil.example:9843',
      '127.0.0.1.evil.example',
      'localhost.evil.example',
      '2130706433.evil.example',
    ]) {
      expect(await ask(web.port, `GET ${path}`, { Host: host })).toBe(421);
    }
  });

  test.each(CHANGES)('%s %s changes nothing', async (method, path, body) => {
    await using web = await open();

    expect(await ask(web.port, `${method} ${path}`, rebound, body)).toBe(421);
    expect(isUntouched(web)).toBe(true);
  });

  test('is asked for a password like everybody where there are users', async () => {
    const env = { OPS_HASH: await hashPassword('secret', { ln: 4, r: 8, p: 1 }) };
    await using web = await startWeb({ config: { users: USERS }, env });

    expect(await ask(web.port, 'GET /metrics', rebound)).toBe(401);
    expect(
      await ask(web.port, 'GET /metrics', { Host: 'monitor.example.org', ...basicAuth('ops', 'secret').headers }),
    ).toBe(200);
  });

  test.each([
    '127.0.0.1',
    '[::1]:9843',
    'localhost:9843',
    'ftm-watch:9843',
    'monitor.example.org',
    'MONITOR.example.org.:9843',
  ])('is told from who calls it by %s', async (host) => {
    await using web = await open({ config: { hosts: ['monitor.example.org'] } });

    expect(await ask(web.port, 'GET /metrics', { Host: host })).toBe(200);
  });

  test('cannot keep an orchestrator from asking whether it lives', async () => {
    await using web = await open();

    expect(await ask(web.port, 'GET /-/healthy', { Host: 'any.example' })).toBe(200);
  });

  test('is told from a configured name, which may change things', async () => {
    await using web = await open({ config: { hosts: ['monitor.example.org'], localReload: true } });

    expect(
      await ask(web.port, 'POST /-/reload', { Host: 'monitor.example.org', Origin: 'https://monitor.example.org' }),
    ).toBe(200);
    expect(await ask(web.port, 'POST /-/reload', { Host: 'ftm-watch' })).toBe(421);
    expect(web.state.reloads).toBe(1);
  });
});

describe('every answer', () => {
  test.each<[string, string, RequestInit, number]>([
    ['the page', '/', {}, 200],
    ['a script', '/static/live.js', {}, 200],
    ['metrics', '/metrics', {}, 200],
    ['the status', '/api/v1/status', {}, 200],
    ['the event stream', '/api/v1/events', { method: 'HEAD' }, 200],
    ['health', '/-/healthy', {}, 200],
    ['nothing there', '/nothing', {}, 404],
    ['no such file', '/static/nothing', {}, 404],
    ['another method', '/', { method: 'DELETE' }, 405],
    ['a large body', '/', { method: 'POST', body: 'x'.repeat(2_000) }, 413],
    ['a refused change', '/-/reload', { method: 'POST', headers: { Origin: 'https://evil.example' } }, 403],
    [
      'a bad silence',
      '/api/v1/silences',
      { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' },
      400,
    ],
    ['a bad probe', '/probe', {}, 400],
  ])('tells browsers what they may not do: %s', async (_, path, init, status) => {
    await using web = await open({ account: 'ops' });

    const response = await web.get(path, init);

    expect(response.status).toBe(status);
    const policy = response.headers.get('Content-Security-Policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*|http:|data:/u);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      'referrer-policy': expect.stringMatching(/^(?:same-origin|no-referrer)$/u),
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': expect.stringMatching(/no-store|no-cache/u),
    });
  });

  test.each([
    ['a live event stream', 'GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', '200'],
    ['a host that is none', 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n', '400'],
  ])('%s too', async (_, request, status) => {
    await using web = await open();
    using client = await dial(web.port, request);

    const head = (await client.until('\r\n\r\n')).toLowerCase();

    expect(head).toContain(`http/1.1 ${status}`);
    expect(head).toContain("content-security-policy: default-src 'none'; frame-ancestors 'none'\r\n");
    expect(head).toContain('x-frame-options: deny\r\n');
  });
});
