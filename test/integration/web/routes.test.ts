import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { diagnosisToJson } from '../../../src/checks/diagnosis-json.ts';
import { causeOf, diagnosisOf } from '../../support/checks/diagnosis-of.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { START, timeline } from '../../support/store/incident-timeline.ts';
import { incidentOf, outboxEntryOf, incidentNotificationOf } from '../../support/notify/outbox-entry-of.ts';
import { createPrtgSensor, type SensorView } from '../../support/monitoring/prtg-sensor.ts';
import { dial, loginOf, startWeb } from '../../support/web/web-bench.ts';

const BROKEN = diagnosisOf(START, [causeOf('tls-intercepted')]);
const INCIDENT = incidentOf();
const BROWSER = 'text/html,application/xhtml+xml,*/*;q=0.8';

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

  test('has the same tag until there is news, whatever the time', async () => {
    const clock = handClock(START);
    await using web = await startWeb({ state: { diagnosis: BROKEN }, clock });
    const first = await web.get('/');
    const tag = first.headers.get('ETag') ?? '';
    expect(await first.text()).toContain(`data-tag="${tag.replace(/^W\//u, '').replaceAll('"', '&quot;')}"`);
    clock.advance(61_000);
    const same = await web.get('/', { headers: { 'If-None-Match': tag } });
    expect([same.status, await same.text()]).toEqual([304, '']);
    web.state.diagnosis = diagnosisOf(START + 30_000, [causeOf('tls-intercepted')]);
    expect(await web.status('/', { headers: { 'If-None-Match': tag } })).toBe(200);
  });

  test('asks for files that are there, small and never stale', async () => {
    await using web = await startWeb({ state: { diagnosis: BROKEN } });
    const page = await web.text('/');
    const files = [...page.matchAll(/(?:src|href)="(static\/[^"]+)"/gu)].map(([, path]) => path ?? '');
    expect(files).toEqual(['static/icon-not-ready.svg', 'static/style.css', 'static/live.js', 'static/history.js']);
    const later = ['copy-buttons.js', 'distance.js', 'uplot.js', 'uplot.css'].map((name) => `static/${name}`);
    for (const path of [...files, ...later]) {
      const response = await web.get(`/${path}`);
      expect(response.status).toBe(200);
      expect(await response.text()).not.toBe('');
      const known = { headers: { 'If-None-Match': response.headers.get('ETag') ?? '' } };
      expect(await web.status(`/${path}`, known)).toBe(304);
    }
  });
});

describe('GET /api/v1', () => {
  test('lists what can be read', async () => {
    await using web = await startWeb();
    const documented = readFileSync(new URL('../../../docs/web.md', import.meta.url), 'utf8');
    const paths = [...documented.matchAll(/^\| `GET (\/api\/v1\/\S+)` \|/gmu)].map(([, path = '']) => path);
    expect(await web.json('/api/v1')).toEqual({ routes: paths.toSorted() });
  });

  test('/status says that there is nothing yet before the first round', async () => {
    await using web = await startWeb();
    expect(await web.status('/api/v1/status')).toBe(503);
  });

  test('/status gives the object of check --json, and the state as a number', async () => {
    const { incidents } = timeline().rounds(2, BROKEN.causes).state;
    const diagnosis = { ...BROKEN, at: Date.now() };
    await using web = await startWeb({ state: { diagnosis, incidents, knownFor: 900_000 } });
    const response = await web.get('/api/v1/status');
    expect(response.headers.get('Content-Type')).toBe('application/json');
    expect(await response.json()).toEqual({ ...diagnosisToJson(diagnosis), state: 2 });
    web.state.diagnosis = { ...diagnosis, ready: 'ready', preconditions: [], causes: [] };
    expect(await web.json('/api/v1/status')).toMatchObject({ state: 1 });
    web.state.diagnosis = { ...diagnosis, at: Date.now() - 1_000_000 };
    expect(await web.json('/api/v1/status')).toMatchObject({ state: 3 });
  });

  test('/prtg gives a sensor its state, and an error before the first round', async () => {
    const { incidents } = timeline().rounds(2, BROKEN.causes).state;
    await using web = await startWeb({ state: { incidents, knownFor: 900_000 } });
    const sensor = createPrtgSensor(new Map());
    const scan = async (): Promise<SensorView> => {
      const response = await web.get('/api/v1/prtg');
      return sensor.scanHttp(response.status, await response.text());
    };
    expect(await scan()).toMatchObject({ state: 'Down', message: expect.stringMatching(/./u), channels: new Map() });
    const broken = { ...BROKEN, at: Date.now() };
    web.state.diagnosis = broken;
    expect((await scan()).channels.get('State')).toBe(2);
    web.state.diagnosis = { ...broken, ready: 'ready', preconditions: [], causes: [] };
    expect((await scan()).channels.get('State')).toBe(1);
  });

  test.each([0, 1, 50])('/incidents gives all %d of them', async (count) => {
    const causes = Array.from({ length: count }, (_, index) =>
      causeOf('mail-unreachable', { subject: `mail-${String(index)}:25` }),
    );
    await using web = await startWeb({ state: { incidents: timeline().rounds(2, causes).state.incidents } });
    const { incidents } = (await web.json('/api/v1/incidents')) as { readonly incidents: readonly object[] };
    expect(incidents).toMatchObject(Array(count).fill({ cause: 'mail-unreachable' }));
  });

  test.each(['rnage=30d', 'range=30', 'range=30d&from=2026-11-24'])('/history refuses "?%s"', async (query) => {
    await using web = await startWeb();
    expect(await web.status('/api/v1/history?range=30d')).toBe(200);
    expect(await web.status(`/api/v1/history?${query}`)).toBe(400);
  });

  test('/notifications gives those on their way and those that arrived, and says whether that is all', async () => {
    const firing = incidentNotificationOf(incidentOf());
    await using web = await startWeb({
      state: { outboxEntries: [outboxEntryOf(firing), outboxEntryOf(firing, { status: 'sent', finishedAt: START })] },
    });
    const body = await web.json('/api/v1/notifications');
    const notifications = [
      { event: 'firing', status: 'pending' },
      { status: 'sent', nextAttemptAt: null },
    ];
    expect(body).toMatchObject({ notifications, complete: true });
    expect(JSON.stringify(body)).not.toContain('admins@');
    web.state.complete = false;
    expect(await web.json('/api/v1/notifications')).toMatchObject({ complete: false });
    expect(await web.json('/api/v1/incidents')).toEqual({ incidents: [], complete: false });
  });
});

describe('what is for programs', () => {
  test('GET /metrics gives what the registry gives', async () => {
    await using web = await startWeb();
    const response = await web.get('/metrics');
    expect(response.headers.get('Content-Type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await response.text()).toContain('ftm_activation_ready 1');
  });

  test('GET /metrics answers 500 without telling why to strangers, and logs it', async () => {
    await using web = await startWeb({ state: { metrics: () => Promise.reject(new Error('a secret detail')) } });
    const response = await web.get('/metrics');
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('secret');
    expect(response.headers.get('Content-Security-Policy')).toContain("default-src 'none'");
    expect(web.log.join('')).toContain('a secret detail');
  });

  test('GET /-/healthy and /-/ready tell that it runs, and whether it is ready', async () => {
    await using web = await startWeb({ state: { health: { ready: false, problems: ['The first round is running'] } } });
    expect(await web.status('/-/healthy')).toBe(200);
    const notReady = await web.get('/-/ready');
    expect([notReady.status, await notReady.text()]).toEqual([
      503,
      expect.stringContaining('The first round is running'),
    ]);
    web.state.health = { ready: true, problems: ['The store cannot be written'] };
    const ready = await web.get('/-/ready');
    expect([ready.status, await ready.text()]).toEqual([200, expect.stringContaining('The store cannot be written')]);
  });

  test('GET /sd tells Prometheus what may be probed, in groups, and by whom', async () => {
    await using web = await startWeb();
    const labels = { site: 'hq', agent: `127.0.0.1:${String(web.port)}` };
    expect(await web.json('/sd')).toEqual([
      { targets: ['control.test:443'], labels: { module: 'tcp', ...labels } },
      { targets: ['license.test:443'], labels: { module: 'http', ...labels } },
    ]);
  });

  test.each([
    ['/', 421],
    ['/api/v1/status', 421],
    ['/probe?target=a', 503],
    ['/sd', 200],
    ['/metrics', 200],
    ['/-/ready', 200],
  ])('Prometheus gets it under a name that only this network knows: %s', async (path, status) => {
    await using web = await startWeb();
    using client = await dial(web.port, `GET ${path} HTTP/1.1\r\nHost: ftm-watch:9843\r\n\r\n`);
    expect(await client.until('\r\n\r\n')).toContain(`HTTP/1.1 ${String(status)}`);
  });

  test('POST /-/reload takes the configuration, or says everything that is wrong with it', async () => {
    await using web = await startWeb({ account: 'ops' });
    expect((await web.post('/-/reload')).status).toBe(200);
    web.state.reload = { kind: 'refused', problems: ['first problem', 'second \u001b[2J'] };
    const refused = await web.post('/-/reload');
    expect(refused.status).toBe(422);
    expect(await refused.text()).toMatch(/\n- first problem\n- second \\u\{1B\}\[2J\n$/u);
    expect(web.state.reloads).toBe(2);
  });
});

describe('other requests', () => {
  test('are told in plain words that nothing is there', async () => {
    await using web = await startWeb();
    const response = await web.get('/nothing<script>');
    expect(response.status).toBe(404);
    expect(response.headers.get('Content-Type')).toBe('text/plain; charset=UTF-8');
    expect(await response.text()).toContain('"/nothing<script>"');
  });

  test.each([
    ['GET', '/nothing', 404, './'],
    ['GET', '/a/b/c?d=/e', 404, '../../'],
    ['GET', `/${'/'.repeat(4_000)}`, 404, '../'.repeat(8)],
    ['GET', '/incidents/none', 404, '../'],
    ['POST', '/metrics', 405, './'],
    ['POST', `/incidents/${INCIDENT.id}/comment`, 403, '../../'],
  ])('are a page with a way back if a browser asks: %s %.40s', async (method, path, status, back) => {
    await using web = await startWeb({ users: ['read'], state: { incidents: [INCIDENT] } });
    const headers = {
      ...loginOf('read').headers,
      Accept: BROWSER,
      'Content-Type': 'application/x-www-form-urlencoded',
    };
    const response = await web.get(path, { method, headers });
    expect([response.status, response.headers.get('Content-Type')]).toEqual([status, 'text/html; charset=UTF-8']);
    const page = await response.text();
    expect(page).toContain(`<p><a href="${back}">`);
    expect(page).toContain('hq');
    const asked = await web.get(path, { method, headers: { ...headers, Accept: '*/*' } });
    expect(asked.headers.get('Content-Type')).toBe('text/plain; charset=UTF-8');
  });

  test.each([
    [{}, 401],
    [loginOf('metrics').headers, 403],
  ])('say nothing about the site on the page for who may not read it', async (login, status) => {
    await using web = await startWeb({ users: ['metrics'], state: { site: 'secret-site' } });
    const response = await web.get('/incidents/x', { headers: { ...login, Accept: BROWSER } });
    expect([response.status, response.headers.has('WWW-Authenticate')]).toEqual([status, status === 401]);
    const page = await response.text();
    expect(page).toContain('<a href="../">');
    expect(page).not.toMatch(/secret-site|static\//u);
  });

  test.each([
    ['DELETE', '/', 'GET, HEAD'],
    ['POST', '/metrics', 'GET, HEAD'],
    ['GET', '/-/reload', 'POST'],
    ['OPTIONS', '/api/v1/status', 'GET, HEAD'],
  ])('%s %s is not allowed', async (method, path, allow) => {
    await using web = await startWeb();
    const response = await web.get(path, { method });
    expect([response.status, response.headers.get('Allow'), web.state.reloads]).toEqual([405, allow, 0]);
  });

  test.each(['/', '/metrics', '/api/v1/status', '/api/v1/incidents', '/-/healthy', '/-/ready', '/static/style.css'])(
    'HEAD %s answers without a body',
    async (path) => {
      await using web = await startWeb({ state: { diagnosis: BROKEN } });
      const response = await web.get(path, { method: 'HEAD' });
      expect([response.status, await response.text()]).toEqual([200, '']);
    },
  );
});
