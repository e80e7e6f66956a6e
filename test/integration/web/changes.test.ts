import { readFileSync } from 'node:fs';
import { Hono } from 'hono';
import pino from 'pino';
import { beforeAll, describe, expect, test } from 'vitest';
import type { WebConfig } from '../../../src/config/schema/web.ts';
import { guard } from '../../../src/web/access.ts';
import { hashPassword } from '../../../src/web/password-hash.ts';
import type { WebEnv } from '../../../src/web/sources.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { START, timeline } from '../../support/store/incident-timeline.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { sourcesOf, webState } from '../../support/web/web-sources.ts';
import { basicAuth, startWeb, type WebBench } from '../../support/web/web-bench.ts';

const SILENCE = JSON.stringify({ duration: '2h', by: 'The CISO', comment: 'x' });
const JSON_TYPE = { 'Content-Type': 'application/json' };
const USERS: WebConfig['users'] = (['read', 'change'] as const).map((role) => ({
  name: role,
  passwordHash: { kind: 'env', name: 'HASH' },
  role,
}));

let hash = '';
beforeAll(async () => {
  hash = await hashPassword('secret', { ln: 4, r: 8, p: 1 });
});

function start(config: Partial<WebConfig>): Promise<WebBench> {
  return startWeb({ config, env: { HASH: hash, TOKEN: 'a-token' } });
}

function post(web: WebBench, headers: Readonly<Record<string, string>>): Promise<Response> {
  return web.get('/api/v1/silences', { method: 'POST', headers: { ...JSON_TYPE, ...headers }, body: SILENCE });
}

/** All routes that change something, as listed in docs/web.md. A test compares that list with the program. */
const CHANGES = [
  ...readFileSync(new URL('../../../docs/web.md', import.meta.url), 'utf8').matchAll(/^\| `(POST|DELETE) (\S+)` \|/gmu),
].flatMap(([, method = '', path = '']) => {
  const actions = path.includes(':action') ? ['acknowledge', 'unacknowledge', 'silence', 'comment'] : [''];
  return actions.map((action) => ({ method, path: path.replace(':action', action).replace(':id', 'any') }));
});

describe('without an account', () => {
  test.each<[string, Partial<WebConfig>]>([
    ['as it is', {}],
    ['with "anonymous: read"', { anonymous: 'read' as const }],
    ['with "anonymous: metrics"', { anonymous: 'metrics' as const }],
    ['with "localReload", unless it is a reload', { localReload: true }],
  ])('nothing is changed over TCP, not even from this machine: %s', async (_, config) => {
    await using web = await start(config);
    expect(CHANGES.length).toBeGreaterThan(4);
    const changes = CHANGES.filter(({ path }) => config.localReload !== true || path !== '/-/reload');
    for (const { method, path } of changes) {
      const refused = await web.get(path, { method, headers: JSON_TYPE, body: SILENCE });
      expect([path, refused.status]).toEqual([path, 403]);
      const text = await refused.text();
      expect(text).toContain('ftm-watch reload');
      expect(text).toContain(
        'curl --unix-socket /var/lib/ftm-watch/ftm-watch.sqlite.sock -X POST http://localhost/-/reload',
      );
    }
    expect([web.state.silences, web.state.reloads, web.state.changes]).toEqual([[], 0, []]);
    expect(new Set(web.state.refusals.map(({ refused }) => refused))).toEqual(new Set(['account']));
  });

  test('has the role "read" for every client without a login, whatever it asks', async () => {
    const callers = async (access: Parameters<typeof guard>[0]['access']): Promise<readonly string[]> => {
      const app = new Hono<WebEnv>();
      const limited = { changeLimit: () => true, sources: sourcesOf(webState()), clock: handClock(START) };
      app.use(...guard({ access, ...limited, logger: pino({ level: 'silent' }) }));
      app.all('*', (context) => context.text(context.get('caller').role));
      const env = { incoming: { socket: { remoteAddress: '127.0.0.1' } } };
      const headers = { Host: 'localhost' };
      const answers = [
        new Request('http://localhost/', { headers }),
        new Request('http://localhost/-/reload', { method: 'POST', headers }),
      ];
      return Promise.all(answers.map(async (asked) => (await app.request(asked, {}, env)).text()));
    };
    const network = { kind: 'network', identify: null, hasAccounts: false, opensMetrics: false, hosts: [] } as const;
    expect(await callers({ ...network, localReload: false, tls: false })).toEqual(['read', 'read']);
    expect(await callers({ kind: 'socket' })).toEqual(['change', 'change']);
  });

  test('the page of an incident says so instead of offering it', async () => {
    const { incidents } = timeline().rounds(2, [causeOf('tls-intercepted')]).state;
    await using web = await startWeb({ state: { incidents } });
    const page = await (await web.get(`/incidents/${incidents[0]?.id ?? ''}`)).text();
    expect(page).not.toContain('<form');
    expect(page).toContain('changes over the network require an account');
    expect(page).toContain('ftm-watch silence add');
  });
});

describe('with "localReload: true"', () => {
  const reload = (web: WebBench, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
    web.get('/-/reload', { method: 'POST', headers });

  test.each<[string, Partial<WebConfig>]>([
    ['without an account', {}],
    ['with accounts', { users: USERS }],
    ['with "anonymous: metrics"', { anonymous: 'metrics' }],
  ])('who is on this machine may reload: %s', async (_, config) => {
    await using web = await start({ ...config, localReload: true });
    expect((await reload(web)).status).toBe(200);
    expect(web.state.reloads).toBe(1);
    expect(web.state.changes).toMatchObject([{ action: 'reload', account: 'local' }]);
  });

  test.each(['Forwarded', 'X-Forwarded-For', 'X-Forwarded-Host', 'X-Real-IP'])(
    'a proxy that says so may not: %s',
    async (name) => {
      await using web = await start({ localReload: true });
      expect((await reload(web, { [name]: 'for=127.0.0.1' })).status).toBe(403);
      expect(web.state.reloads).toBe(0);
    },
  );

  test('a login is looked at', async () => {
    await using web = await start({ users: USERS, localReload: true });
    expect((await reload(web, basicAuth('read', 'secret').headers)).status).toBe(403);
    expect((await reload(web, basicAuth('change', 'guess').headers)).status).toBe(401);
    expect((await reload(web, basicAuth('change', 'secret').headers)).status).toBe(200);
    expect(web.state.changes[0]).toMatchObject({ account: 'change' });
  });
});

describe('a reverse proxy', () => {
  const proxy: NonNullable<WebConfig['proxy']> = {
    userHeader: 'X-Forwarded-User',
    secret: { kind: 'env', name: 'TOKEN' },
    secretHeader: 'X-Proxy-Secret',
    certificate: null,
    role: 'change',
  };
  const ADA = { 'x-forwarded-user': 'ada', 'x-proxy-secret': 'a-token' };

  test('names its user when it shows the secret', async () => {
    await using web = await start({ proxy });
    expect((await post(web, ADA)).status).toBe(201);
    expect(web.state.silences.map(({ by }) => by)).toEqual(['ada']);
    expect((await post(web, {})).status).toBe(401);
  });

  test.each([
    [{ 'x-forwarded-user': 'ada' }],
    [{ 'x-forwarded-user': 'ada', 'x-proxy-secret': '' }],
    [{ 'x-forwarded-user': 'ada', 'x-proxy-secret': 'a-toke' }],
    [{ 'x-forwarded-user': '', 'x-proxy-secret': 'a-token' }],
    [{ 'x-proxy-secret': 'a-token' }],
    [{ 'x-forwarded-user': 'x'.repeat(256), 'x-proxy-secret': 'a-token' }],
  ])('is not believed without it, or without a name that can be kept: %j', async (headers) => {
    await using web = await start({ proxy });
    expect((await post(web, headers)).status).toBe(401);
    expect(web.state.silences).toEqual([]);
  });

  test('never stands for the origin of a change', async () => {
    await using web = await start({ proxy });
    const refused = await post(web, { ...ADA, Origin: 'https://evil.example' });
    expect([refused.status, web.state.silences]).toEqual([403, []]);
  });

  test.each([null, proxy.secret])('is believed by no header where it has to show a certificate', async (secret) => {
    await using web = await start({ proxy: { ...proxy, secret, certificate: 'proxy.example.org' }, users: USERS });
    expect((await post(web, ADA)).status).toBe(401);
    const { headers } = basicAuth('read', 'secret');
    expect((await post(web, { ...headers, ...ADA, 'x-forwarded-user': 'change' })).status).toBe(403);
  });
});

test('an account makes at most 60 changes a minute, and others are not affected', async () => {
  const accounts = ['one', 'other'].map((name) => ({ ...USERS[1], name, role: 'change' as const }));
  await using web = await startWeb({
    config: { users: accounts.map((user) => ({ ...user, passwordHash: { kind: 'env', name: 'HASH' } as const })) },
    env: { HASH: hash },
    clock: handClock(START),
  });
  const reload = async (name: string): Promise<number> =>
    (await web.get('/-/reload', { method: 'POST', ...basicAuth(name, 'secret') })).status;
  for (let index = 0; index < 60; index += 1) expect(await reload('one')).toBe(200);
  expect([await reload('one'), await reload('other')]).toEqual([429, 200]);
  expect(web.state.changes).toHaveLength(61);
});
