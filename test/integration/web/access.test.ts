import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { describe, expect, test } from 'vitest';
import type { WebConfig } from '../../../src/config/schema/web.ts';
import { createIdentity, type Identity } from '../../../src/demo/lab/identity.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { folderOfEachTest } from '../../support/process/test-folder.ts';
import { START } from '../../support/store/incident-timeline.ts';
import { basicAuth, loginOf, startWeb, tlsFiles, type WebBench } from '../../support/web/web-bench.ts';

const USERS = ['metrics', 'read', 'change'] as const;
const SILENCES = '/api/v1/silences';
const SILENCE = { duration: '2h', by: 'The CISO', comment: 'x' };

const folder = folderOfEachTest();

function start(config: Partial<WebConfig> = {}, users: readonly (typeof USERS)[number][] = []): Promise<WebBench> {
  return startWeb({ config, users, env: { TOKEN: 'a-token' } });
}

type Headers = Readonly<Record<string, string>>;

async function silence(web: WebBench, headers: Headers): Promise<number> {
  return (await web.post(SILENCES, SILENCE, headers)).status;
}

describe('a role', () => {
  test.each([
    ['metrics', '/metrics', 200],
    ['metrics', '/probe?target=a', 503],
    ['metrics', '/sd', 200],
    ['metrics', '/', 403],
    ['metrics', '/api/v1/status', 403],
    ['read', '/', 200],
    ['read', '/metrics', 200],
    ['metrics', '/api/v1/prtg', 403],
    ['read', '/api/v1/prtg', 200],
    ['read', '/api/v1/audit', 200],
    ['change', '/', 200],
  ] as const)('"%s" that reads %s is answered with %d', async (role, path, status) => {
    await using web = await start({}, USERS);
    expect(await web.status(path, loginOf(role))).toBe(status);
  });

  test.each([
    ['metrics', 403],
    ['read', 403],
    ['change', 201],
  ] as const)('"%s" that silences is answered with %d, in its own name', async (role, status) => {
    await using web = await start({}, USERS);
    expect(await silence(web, loginOf(role).headers)).toBe(status);
    expect(web.state.silences.map(({ by }) => by)).toEqual(status === 201 ? [role] : []);
  });

  test('"read" that reloads or removes a silence changes nothing, and is noted', async () => {
    await using web = await start({}, USERS);
    const { headers } = loginOf('read');
    expect((await web.post('/-/reload', '', headers)).status).toBe(403);
    expect(await web.status(`${SILENCES}/any`, { method: 'DELETE', headers })).toBe(403);
    expect([web.state.reloads, web.state.changes]).toEqual([0, []]);
    expect(web.state.refusals).toMatchObject([
      { action: 'remove-silence', account: 'read', address: '127.0.0.1', refused: 'role' },
      { action: 'reload', account: 'read', refused: 'role' },
    ]);
  });
});

describe('the audit trail', () => {
  test('has account, address and what was changed, and is served', async () => {
    await using web = await start({}, USERS);
    const { headers } = loginOf('change');
    await silence(web, headers);
    const id = web.state.silences[0]?.id ?? '';
    await web.get(`${SILENCES}/${id}`, { method: 'DELETE', headers });
    await web.post('/-/reload', '', headers);
    expect(await web.json('/api/v1/audit', { headers })).toMatchObject({
      changes: [
        { action: 'reload', account: 'change', address: '127.0.0.1', detail: 'taken' },
        { action: 'remove-silence', account: 'change', detail: id },
        { action: 'add-silence', account: 'change', detail: expect.stringContaining(`${id} until `) },
      ],
    });
    expect(web.log.filter((line) => line.includes('changed-on-request'))).toHaveLength(3);
  });

  test('counts logins', async () => {
    await using web = await start({}, USERS);
    await web.get('/');
    await web.get('/', loginOf('change'));
    await web.get('/', basicAuth('change', 'guess'));
    expect(web.state.logins).toEqual(['accepted', 'refused']);
  });
});

describe('a token', () => {
  const tokens: WebConfig['tokens'] = [{ name: 'prometheus', token: { kind: 'env', name: 'TOKEN' }, role: 'metrics' }];

  test.each([
    ['Bearer a-token', '/metrics', 200],
    ['bearer a-token', '/metrics', 200],
    ['Bearer a-token', '/', 403],
    ['Bearer a-toke', '/metrics', 401],
    ['Bearer ', '/metrics', 401],
    ['Basic a-token', '/metrics', 401],
    ['', '/metrics', 401],
  ])('"%s" gets of %s %d', async (authorization, path, status) => {
    await using web = await start({ tokens });
    expect(await web.status(path, authorization === '' ? {} : { headers: { authorization } })).toBe(status);
  });

  test("that cannot be read, or is no token any more, is nobody else's trouble, and stays in force", async () => {
    const names = ['first', 'second', 'third'];
    const second = folder.at('second');
    for (const name of names) writeFileSync(folder.at(name), `token-of-${name}\n`);
    await using web = await start({
      tokens: names.map((name) => ({ name, token: { kind: 'file', path: folder.at(name) }, role: 'read' })),
    });
    const status = (token: string): Promise<number> =>
      web.status('/', { headers: { authorization: `Bearer ${token}` } });
    const problems = [
      () => rmSync(second),
      () => writeFileSync(second, ''),
      () => writeFileSync(second, '\n\n\0'),
      () => {
        rmSync(second);
        mkdirSync(second);
      },
    ];
    for (const cause of problems) {
      cause();
      expect(await Promise.all(names.map((name) => status(`token-of-${name}`)))).toEqual([200, 200, 200]);
      expect(await status('guess')).toBe(401);
    }
    rmSync(second, { recursive: true });
    writeFileSync(second, 'rotated');
    expect([await status('token-of-second'), await status('rotated')]).toEqual([401, 200]);
    expect(web.log.filter((line) => line.includes('token \\"second\\"'))).toHaveLength(problems.length);
  });
});

describe('with "anonymous: metrics"', () => {
  test.each([
    ['/metrics', 200],
    ['/-/ready', 200],
    ['/', 401],
    ['/api/v1/status', 401],
    ['/probe?target=a', 401],
  ])('%s is answered with %d to who shows nothing', async (path, status) => {
    await using web = await start({ anonymous: 'metrics' });
    expect(await web.status(path)).toBe(status);
  });

  test('nobody on this machine changes anything without logging in, and users may', async () => {
    await using web = await start({ anonymous: 'metrics' }, USERS);
    expect([await silence(web, {}), await silence(web, loginOf('change').headers)]).toEqual([401, 201]);
    expect(await web.status('/metrics', basicAuth('read', 'guess'))).toBe(401);
  });
});

describe('with "localReload: true"', () => {
  async function reload(web: WebBench, headers: Headers = {}): Promise<number> {
    return (await web.post('/-/reload', '', headers)).status;
  }

  test.each<[string, Partial<WebConfig>, readonly 'change'[]]>([
    ['without an account', {}, []],
    ['with accounts', {}, ['change']],
    ['with "anonymous: metrics"', { anonymous: 'metrics' }, []],
  ])('who is on this machine may reload: %s', async (_, config, users) => {
    await using web = await start({ ...config, localReload: true }, users);
    expect(await reload(web)).toBe(200);
    expect(web.state.reloads).toBe(1);
    expect(web.state.changes).toMatchObject([{ action: 'reload', account: 'local' }]);
  });

  test.each(['Forwarded', 'X-Forwarded-For', 'X-Forwarded-Host', 'X-Real-IP'])(
    'a proxy that says so may not: %s',
    async (name) => {
      await using web = await start({ localReload: true });
      expect([await reload(web, { [name]: 'for=127.0.0.1' }), web.state.reloads]).toEqual([403, 0]);
    },
  );

  test('a login is looked at', async () => {
    await using web = await start({ localReload: true }, USERS);
    const logins = [loginOf('read'), basicAuth('change', 'guess'), loginOf('change')];
    for (const [index, status] of [403, 401, 200].entries())
      expect(await reload(web, logins[index]?.headers)).toBe(status);
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

  test('names its user when it shows the secret, and never stands for the origin of a change', async () => {
    await using web = await start({ proxy });
    expect(await silence(web, { ...ADA, Origin: 'https://evil.example' })).toBe(403);
    expect(await silence(web, ADA)).toBe(201);
    expect(web.state.silences.map(({ by }) => by)).toEqual(['ada']);
  });

  test.each<Headers>([
    {},
    { 'x-forwarded-user': 'ada' },
    { 'x-forwarded-user': 'ada', 'x-proxy-secret': '' },
    { 'x-forwarded-user': 'ada', 'x-proxy-secret': 'a-toke' },
    { 'x-forwarded-user': '', 'x-proxy-secret': 'a-token' },
    { 'x-proxy-secret': 'a-token' },
    { 'x-forwarded-user': 'x'.repeat(256), 'x-proxy-secret': 'a-token' },
  ])('is not believed without it, or without a name that can be kept: %j', async (headers) => {
    await using web = await start({ proxy });
    expect([await silence(web, headers), web.state.silences]).toEqual([401, []]);
  });

  test.each([null, proxy.secret])('is believed by no header where it has to show a certificate', async (secret) => {
    await using web = await start({ proxy: { ...proxy, secret, certificate: 'proxy.example.org' } }, USERS);
    expect(await silence(web, ADA)).toBe(401);
    expect(await silence(web, { ...loginOf('read').headers, ...ADA, 'x-forwarded-user': 'change' })).toBe(403);
  });
});

test('an account makes at most 60 changes a minute, and others are not affected', async () => {
  const accounts = ['one', 'other'].map((name) => ({
    name,
    passwordHash: { kind: 'env', name: 'PASSWORD_HASH' } as const,
    role: 'change' as const,
  }));
  await using web = await startWeb({ config: { users: accounts }, clock: handClock(START) });
  const reload = async (name: string): Promise<number> =>
    (await web.post('/-/reload', '', basicAuth(name, 'secret').headers)).status;
  for (let index = 0; index < 60; index += 1) expect(await reload('one')).toBe(200);
  expect([await reload('one'), await reload('other')]).toEqual([429, 200]);
  expect(web.state.changes).toHaveLength(61);
});

describe('a client certificate', () => {
  interface Asked {
    readonly client?: Identity;
    readonly headers?: Headers;
    readonly path?: string;
  }

  async function startTls(config: Partial<WebConfig>) {
    const server = await createIdentity({ name: 'CN=monitor', dnsNames: ['monitor.example.org'] });
    const authority = await createIdentity({ name: 'CN=clients', authority: true });
    const web = await start({ tls: tlsFiles(folder, [server], authority.pem), ...config }, USERS);
    const clientOf = (name: string, dnsNames: readonly string[] = [], issuer = authority): Promise<Identity> =>
      createIdentity({ name: `CN=${name}`, dnsNames, issuer });
    const ask = async ({ client, headers = {}, path = '/metrics' }: Asked): Promise<number> => {
      const shown = client === undefined ? {} : { cert: client.pem, key: client.keyPem };
      const trust = { ca: server.pem, servername: 'monitor.example.org' };
      const sent = request({ host: '127.0.0.1', port: web.port, path, headers, ...trust, ...shown });
      sent.end();
      const [response] = await once(sent, 'response');
      response.resume();
      return Number(response.statusCode);
    };
    return { ask, clientOf, [Symbol.asyncDispose]: () => web[Symbol.asyncDispose]() };
  }

  test('lets in by its common name or a DNS name, in its role', async () => {
    const certificates = ['prometheus', 'scraper.example.org'].map((name) => ({ name, role: 'metrics' as const }));
    await using web = await startTls({ certificates });
    const client = await web.clientOf('prometheus');
    expect(await web.ask({ client })).toBe(200);
    expect(await web.ask({ client: await web.clientOf('x', ['scraper.example.org']) })).toBe(200);
    expect(await web.ask({ client, path: '/' })).toBe(403);
  });

  test('is worth nothing under another authority, and nobody is shut out by having none', async () => {
    const stranger = await createIdentity({ name: 'CN=strangers', authority: true });
    await using web = await startTls({ certificates: [{ name: 'prometheus', role: 'change' }] });
    expect(await web.ask({ client: await web.clientOf('prometheus', [], stranger) })).toBe(401);
    expect([await web.ask({}), await web.ask(loginOf('metrics'))]).toEqual([401, 200]);
  });

  test('of a proxy makes its header count', async () => {
    const header = { userHeader: 'X-User', secret: null, secretHeader: 'X-Proxy-Secret' };
    await using web = await startTls({ proxy: { ...header, certificate: 'proxy.example.org', role: 'read' } });
    const client = await web.clientOf('proxy.example.org');
    const headers = { 'X-User': 'ada' };
    expect(await web.ask({ client, headers })).toBe(200);
    expect([await web.ask({ client }), await web.ask({ headers })]).toEqual([401, 401]);
  });
});
