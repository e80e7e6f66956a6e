import { hostname } from 'node:os';
import { describe, expect, test } from 'vitest';
import { diagnosisToJson } from '../../../src/engine/diagnosis-json.ts';
import { causeOf, diagnosisOf } from '../../support/checks/diagnosis-of.ts';
import { START, timeline } from '../../support/store/incident-timeline.ts';
import { incidentOf, outboxEntryOf, incidentNotificationOf } from '../../support/notify/outbox-entry-of.ts';
import { dial, startWeb } from '../../support/web/web-bench.ts';

const BROKEN = diagnosisOf(START, [causeOf('tls-intercepted')]);

describe('GET /', () => {
  test('shows the page, and tells the browser to load nothing from elsewhere and to keep nothing', async () => {
    await using web = await startWeb({ state: { diagnosis: BROKEN } });

    const response = await web.get('/');

    expect(response.status).toBe(200);
    expect(await response.text()).toContain('Summary of tls-intercepted');
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/html; charset=UTF-8',
      'content-security-policy':
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri " +
        "'none'; form-action 'self'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'same-origin',
      'x-frame-options': 'DENY',
      'cache-control': 'no-store',
    });
    expect(response.headers.has('strict-transport-security')).toBe(false);
    expect(response.headers.has('x-powered-by')).toBe(false);
  });

  test('asks for files that are there, small and never stale', async () => {
    await using web = await startWeb({ state: { diagnosis: BROKEN } });
    const page = await (await web.get('/')).text();
    const files = [...page.matchAll(/(?:src|href)="(static\/[^"]+)"/gu)].map(([, path]) => path ?? '');

    expect(files).toEqual(['static/icon-not-ready.svg', 'static/style.css', 'static/live.js', 'static/history.js']);
    for (const path of [
      ...files,
      'static/copy-buttons.js',
      'static/distance.js',
      'static/uplot.js',
      'static/uplot.css',
    ]) {
      const response = await web.get(`/${path}`);
      expect(response.status).toBe(200);
      expect(await response.text()).not.toBe('');
      const again = await web.get(`/${path}`, { headers: { 'If-None-Match': response.headers.get('ETag') ?? '' } });
      expect(again.status).toBe(304);
    }
  });

  test.each([
    '/static/',
    '/static/nothing.js',
    '/static/..%2f..%2fpackage.json',
    '/static/%2e%2e/server.ts',
    '/static/__proto__',
  ])('gives no other file: %s', async (path) => {
    await using web = await startWeb();

    expect((await web.get(path)).status).toBe(404);
  });
});

describe('GET /api/v1/status', () => {
  test('says that there is nothing yet before the first round', async () => {
    await using web = await startWeb();

    const response = await web.get('/api/v1/status');

    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ error: 'The first round has not finished yet' });
  });

  test('gives the object of check --json', async () => {
    await using web = await startWeb({ state: { diagnosis: BROKEN } });

    const response = await web.get('/api/v1/status');

    expect(response.headers.get('Content-Type')).toBe('application/json');
    expect(await response.json()).toEqual(diagnosisToJson(BROKEN));
  });
});

describe('GET /api/v1/incidents', () => {
  test.each([0, 1, 50])('gives all %d of them', async (count) => {
    const causes = Array.from({ length: count }, (_, index) =>
      causeOf('mail-unreachable', { subject: `mail-${String(index)}:25` }),
    );
    await using web = await startWeb({ state: { incidents: timeline().rounds(2, causes).state.incidents } });

    const body = (await (await web.get('/api/v1/incidents')).json()) as {
      readonly incidents: readonly { readonly cause: string }[];
    };

    expect(body.incidents.map(({ cause }) => cause)).toEqual(Array(count).fill('mail-unreachable'));
  });
});

describe('GET /api/v1/history', () => {
  test.each(['rnage=30d', 'range=30', 'range=30d&from=2026-11-24'])('refuses "?%s"', async (query) => {
    await using web = await startWeb();
    expect((await web.get('/api/v1/history?range=30d')).status).toBe(200);
    expect((await web.get(`/api/v1/history?${query}`)).status).toBe(400);
  });
});

describe('GET /api/v1/notifications', () => {
  test('gives those on their way and those that arrived, and says whether that is all', async () => {
    const firing = incidentNotificationOf(incidentOf());
    await using web = await startWeb({
      state: { outboxEntries: [outboxEntryOf(firing), outboxEntryOf(firing, { status: 'sent', finishedAt: START })] },
    });

    const body: unknown = await (await web.get('/api/v1/notifications')).json();

    expect(body).toMatchObject({
      notifications: [
        { event: 'firing', status: 'pending' },
        { status: 'sent', nextAttemptAt: null },
      ],
      complete: true,
    });
    expect(JSON.stringify(body)).not.toContain('admins@');
    web.state.complete = false;
    expect(await (await web.get('/api/v1/notifications')).json()).toMatchObject({ complete: false });
    expect(await (await web.get('/api/v1/incidents')).json()).toEqual({ incidents: [], complete: false });
  });
});

describe('GET /metrics', () => {
  test('gives what the registry gives', async () => {
    await using web = await startWeb();

    const response = await web.get('/metrics');

    expect(response.headers.get('Content-Type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await response.text()).toContain('ftm_activation_ready 1');
  });

  test('answers 500 without telling why to strangers, and logs it', async () => {
    await using web = await startWeb({ state: { metrics: () => Promise.reject(new Error('a secret detail')) } });

    const response = await web.get('/metrics');

    expect(response.status).toBe(500);
    expect(await response.text()).toBe('ftm-watch could not answer this request. See its log for the reason\n');
    expect(response.headers.get('Content-Security-Policy')).toContain("default-src 'none'");
    expect(web.log.join('')).toContain('a secret detail');
  });
});

describe('GET /-/healthy and /-/ready', () => {
  test('tell that it runs, and whether it is ready', async () => {
    await using web = await startWeb({ state: { health: { ready: false, problems: ['The first round is running'] } } });

    expect((await web.get('/-/healthy')).status).toBe(200);
    const notReady = await web.get('/-/ready');
    expect(notReady.status).toBe(503);
    expect(await notReady.text()).toBe('Not ready:\n- The first round is running\n');

    web.state.health = { ready: true, problems: ['The store cannot be written'] };
    const ready = await web.get('/-/ready');
    expect(ready.status).toBe(200);
    expect(await ready.text()).toBe('Ready:\n- The store cannot be written\n');
  });
});

describe('POST /-/reload', () => {
  test('takes the configuration, or says everything that is wrong with it', async () => {
    await using web = await startWeb({ account: 'ops' });

    const taken = await web.get('/-/reload', { method: 'POST' });
    expect([taken.status, await taken.text()]).toEqual([200, 'Configuration reloaded\n']);

    web.state.reload = {
      kind: 'refused',
      problems: ['ftm-watch.yaml:3: unknown key "mial"', 'ftm-watch.yaml:9: \u001b[2J'],
    };
    const refused = await web.get('/-/reload', { method: 'POST' });
    expect([refused.status, await refused.text()]).toEqual([
      422,
      'The configuration was rejected. The previous one is still active:\n- ftm-watch.yaml:3: unknown key "mial"\n' +
        '- ftm-watch.yaml:9: \\u{1B}[2J\n',
    ]);
    expect(web.state.reloads).toBe(2);
  });

  test.each([
    ['a page of another origin', { Origin: 'https://evil.example' }, 403],
    ['a page that hides its origin', { 'Sec-Fetch-Site': 'cross-site' }, 403],
    ['a name of this network only', { Host: 'ftm-watch' }, 421],
    ['the name of this machine', { Host: hostname() }, 403],
    ['a name that may point anywhere', { Host: 'evil.example' }, 421],
  ])('with "localReload" refuses %s', async (_, headers, status) => {
    await using web = await startWeb({ config: { localReload: true } });
    const lines = Object.entries({ Host: `127.0.0.1:${String(web.port)}`, 'Content-Length': '0', ...headers }).map(
      (pair) => pair.join(': '),
    );
    using client = await dial(web.port, `POST /-/reload HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);

    expect(await client.until('Refused: ')).toContain(`HTTP/1.1 ${String(status)}`);
    expect(web.state.reloads).toBe(0);
  });
});

test.each([
  ['/', 421],
  ['/api/v1/status', 421],
  ['/probe?target=a', 503],
  ['/sd', 200],
  ['/metrics', 200],
  ['/-/ready', 200],
])('under a name that only this network knows, Prometheus gets what is for it: %s', async (path, status) => {
  await using web = await startWeb();
  using client = await dial(web.port, `GET ${path} HTTP/1.1\r\nHost: ftm-watch:9843\r\n\r\n`);

  expect(await client.until('\r\n\r\n')).toContain(`HTTP/1.1 ${String(status)}`);
});

describe('other requests', () => {
  test('are told in plain words that nothing is there', async () => {
    await using web = await startWeb();

    const response = await web.get('/nothing<script>');

    expect([response.status, await response.text()]).toEqual([
      404,
      'There is no page at "/nothing<script>". The status page is at "/"\n',
    ]);
    expect(response.headers.get('Content-Type')).toBe('text/plain; charset=UTF-8');
  });

  test.each([
    ['DELETE', '/', 'GET, HEAD'],
    ['POST', '/metrics', 'GET, HEAD'],
    ['GET', '/-/reload', 'POST'],
    ['OPTIONS', '/api/v1/status', 'GET, HEAD'],
  ])('%s %s is not allowed', async (method, path, allow) => {
    await using web = await startWeb();

    const response = await web.get(path, { method });

    expect([response.status, await response.text()]).toEqual([
      405,
      `Method "${method}" is not allowed for "${path}". Use ${allow}\n`,
    ]);
    expect(response.headers.get('Allow')).toBe(allow);
    expect(web.state.reloads).toBe(0);
  });

  test.each([
    '/',
    '/metrics',
    '/api/v1/status',
    '/api/v1/incidents',
    '/api/v1/events',
    '/-/healthy',
    '/-/ready',
    '/static/style.css',
  ])('HEAD %s answers without a body', async (path) => {
    await using web = await startWeb({ state: { diagnosis: BROKEN } });

    const response = await web.get(path, { method: 'HEAD' });

    expect([response.status, await response.text()]).toEqual([200, '']);
  });

  test('are refused when they are too large or malformed', async () => {
    await using web = await startWeb();

    expect((await web.get('/-/reload', { method: 'POST', body: 'x'.repeat(2_000) })).status).toBe(413);
    expect((await web.get('/', { headers: { 'X-Long': 'x'.repeat(10_000) } })).status).toBe(431);
    using badHost = await dial(web.port, 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n');
    expect(await badHost.until('malformed')).toContain('HTTP/1.1 400');
    using noHttp = await dial(web.port, 'hello\r\n\r\n');
    expect(await noHttp.until('400')).toContain('HTTP/1.1 400');
  });
});
