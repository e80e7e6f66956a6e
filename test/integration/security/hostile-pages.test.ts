import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { describe, expect, test } from 'vitest';
import type { Silence } from '../../../src/engine/incident/incident.ts';
import { diagnosisOf } from '../../support/checks/diagnosis-of.ts';
import { incidentOf } from '../../support/notify/outbox-entry-of.ts';
import { HOUR, START } from '../../support/store/incident-timeline.ts';
import {
  ACCOUNT_LOGIN,
  dial,
  loginOf,
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
const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';
const CHANGES = [
  ['POST /-/reload', JSON_TYPE, ''],
  ['POST /api/v1/silences', JSON_TYPE, JSON.stringify({ duration: '2h', by: 'Mallory', comment: 'x' })],
  ['DELETE /api/v1/silences/silence-1', JSON_TYPE, ''],
  [`POST /incidents/${incidentOf().id}/acknowledge`, FORM_TYPE, 'by=Mallory'],
  [`POST /incidents/${incidentOf().id}/silence`, FORM_TYPE, 'duration=2h&comment=x'],
  [`POST /incidents/${incidentOf().id}/comment`, FORM_TYPE, 'comment=x'],
] as const;
/** All documented paths, which are all that exist, except those for orchestrators. */
const READS = [
  ...readFileSync(new URL('../../../docs/web.md', import.meta.url), 'utf8').matchAll(/^\| `GET (\S+)` \|/gmu),
]
  .map(([, path = '']) => path.replace(':name', 'style.css').replace(':id', 'x'))
  .filter((path) => !path.startsWith('/-/'));

function open(more: Pick<WebBenchOptions, 'account' | 'config' | 'users'> = {}): Promise<WebBench> {
  const state = { silences: [SILENCE], incidents: [incidentOf()], diagnosis: diagnosisOf(START, []) };
  return startWeb({ ...more, state });
}

/** Sends a request as a browser does for a malicious page. @returns the status */
async function ask(port: number, line: string, headers: Readonly<Record<string, string>>, body = ''): Promise<number> {
  const own = { 'Content-Type': JSON_TYPE, 'Content-Length': String(body.length), Connection: 'close' };
  const lines = Object.entries({ ...own, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  using client = await dial(port, `${line} HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
  return Number(/^HTTP\/1\.1 (\d{3}) /u.exec(await client.until('\r\n'))?.[1]);
}

function hostOf({ port }: WebBench): { readonly Host: string } {
  return { Host: `127.0.0.1:${String(port)}` };
}

function expectUntouched({ state }: WebBench): void {
  expect([state.reloads, state.silences, state.changes]).toEqual([0, [SILENCE], []]);
  expect(state.incidents).toEqual([incidentOf()]);
}

describe("a page of somebody else's, in the browser of an administrator", () => {
  test.each(CHANGES)('changes nothing by %s', async (line, type, body) => {
    // The browser adds the credentials.
    await using web = await open({ account: 'ops' });
    const own = { ...hostOf(web), ...ACCOUNT_LOGIN, 'Content-Type': type };
    for (const foreign of [
      { Origin: 'https://evil.example' },
      { Origin: 'null' },
      { Origin: 'http://127.0.0.1:1' },
      { Origin: 'http://127.0.0.1.evil.example' },
      { 'Sec-Fetch-Site': 'cross-site' },
      { 'Sec-Fetch-Site': 'same-site' },
    ])
      expect([foreign, await ask(web.port, line, { ...own, ...foreign }, body)]).toEqual([foreign, 403]);
    expectUntouched(web);
  });

  test.each<[Readonly<Record<string, string>>, number]>([
    [{ Origin: 'https://evil.example' }, 403],
    [{ 'Sec-Fetch-Site': 'cross-site' }, 403],
    [{ 'X-Forwarded-For': '127.0.0.1' }, 403],
    [{ Host: hostname() }, 403],
    [{ Host: 'monitor' }, 421],
    [{ Host: 'evil.example' }, 421],
    [{ Host: '2130706433' }, 421],
    [{ Host: '0x7f000001' }, 421],
  ])('cannot reload where "localReload" needs no login: %j', async (headers, status) => {
    await using web = await open({ config: { localReload: true } });
    expect(await ask(web.port, 'POST /-/reload', { ...hostOf(web), ...headers })).toBe(status);
    expectUntouched(web);
    expect(await ask(web.port, 'POST /-/reload', hostOf(web))).toBe(200);
  });

  test.each(CHANGES.filter(([, , body]) => body !== ''))('cannot send %s in another form', async (line, own, body) => {
    await using web = await open({ account: 'ops' });
    for (const type of [FORM_TYPE, 'multipart/form-data', 'text/plain'].filter((other) => other !== own)) {
      const headers = { ...hostOf(web), ...ACCOUNT_LOGIN, 'Content-Type': type };
      expect(await ask(web.port, line, headers, body)).toBe(415);
    }
    expectUntouched(web);
  });

  test('cannot make it probe', async () => {
    await using web = await open();
    expect(await ask(web.port, 'GET /probe?target=x', { Host: '127.0.0.1', 'Sec-Fetch-Site': 'cross-site' })).toBe(403);
  });

  test('gets no permission to read, whatever its origin', async () => {
    await using web = await open();
    const { headers } = await web.get('/api/v1/status', { headers: { Origin: 'https://evil.example' } });
    expect([...headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
    expect(headers.get('Cross-Origin-Resource-Policy')).toBe('same-origin');
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
    const names = ['evil.example', '127.0.0.1.evil.example', 'localhost.evil.example', '2130706433.evil.example'];
    for (const Host of [...names, 'evil.example:9843']) expect(await ask(web.port, `GET ${path}`, { Host })).toBe(421);
  });

  test.each(CHANGES)('changes nothing by %s', async (line, type, body) => {
    await using web = await open();
    expect(await ask(web.port, line, { ...rebound, 'Content-Type': type }, body)).toBe(421);
    expectUntouched(web);
  });

  test('is asked for a password like everybody where there are users', async () => {
    await using web = await open({ users: ['change'] });
    expect(await ask(web.port, 'GET /metrics', rebound)).toBe(401);
    const own = { Host: 'monitor.example.org', ...loginOf('change').headers };
    expect(await ask(web.port, 'GET /metrics', own)).toBe(200);
  });

  test.each([
    '127.0.0.1',
    '[::1]:9843',
    'localhost:9843',
    'ftm-watch:9843',
    'monitor.example.org',
    'MONITOR.example.org.:9843',
  ])('is told from who calls it by %s', async (Host) => {
    await using web = await open({ config: { hosts: ['monitor.example.org'] } });
    expect(await ask(web.port, 'GET /metrics', { Host })).toBe(200);
  });

  test('cannot keep an orchestrator from asking whether it lives', async () => {
    await using web = await open();
    expect(await ask(web.port, 'GET /-/healthy', { Host: 'any.example' })).toBe(200);
  });

  test('is told from a configured name, which may change things', async () => {
    await using web = await open({ config: { hosts: ['monitor.example.org'], localReload: true } });
    const own = { Host: 'monitor.example.org', Origin: 'https://monitor.example.org' };
    expect(await ask(web.port, 'POST /-/reload', own)).toBe(200);
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
    ['health', '/-/healthy', {}, 200],
    ['nothing there', '/nothing', {}, 404],
    ['no such file', '/static/nothing', {}, 404],
    ['another method', '/', { method: 'DELETE' }, 405],
    ['a large body', '/', { method: 'POST', body: 'x'.repeat(2_000) }, 413],
    ['a refused change', '/-/reload', { method: 'POST', headers: { Origin: 'https://evil.example' } }, 403],
    ['a bad silence', '/api/v1/silences', { method: 'POST', headers: { 'Content-Type': JSON_TYPE }, body: '{}' }, 400],
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

  test('a host that is none too', async () => {
    await using web = await open();
    using client = await dial(web.port, 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n');
    const head = (await client.until('\r\n\r\n')).toLowerCase();
    expect(head).toContain('http/1.1 400');
    expect(head).toContain("content-security-policy: default-src 'none'; frame-ancestors 'none'\r\n");
    expect(head).toContain('x-frame-options: deny\r\n');
  });
});
