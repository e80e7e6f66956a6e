import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { beforeAll, describe, expect, test } from 'vitest';
import type { WebConfig } from '../../../src/config/schema/web.ts';
import { hashPassword } from '../../../src/web/password-hash.ts';
import { createIdentity, type Identity } from '../../../src/demo/lab/identity.ts';
import { basicAuth, startWeb, type WebBench } from '../../support/web/web-bench.ts';
import { folderOfAllTests } from '../../support/process/test-folder.ts';

const ROLES = ['metrics', 'read', 'change'] as const;
const SILENCE = JSON.stringify({ duration: '2h', by: 'The CISO', comment: 'x' });
const JSON_TYPE = { 'Content-Type': 'application/json' };

const folder = folderOfAllTests();
let hash = '';
/** The authority of the clients, and one that nobody trusts. */
let authority: Identity;
let stranger: Identity;

beforeAll(async () => {
  hash = await hashPassword('secret', { ln: 4, r: 8, p: 1 });
  authority = await createIdentity({ name: 'CN=clients', authority: true });
  stranger = await createIdentity({ name: 'CN=strangers', authority: true });
});

const USERS: WebConfig['users'] = ROLES.map((role) => ({
  name: role,
  passwordHash: { kind: 'env', name: 'HASH' },
  role,
}));

function start(config: Partial<WebConfig>): Promise<WebBench> {
  return startWeb({ config, env: { HASH: hash, TOKEN: 'a-token' } });
}

function post(web: WebBench, headers: Readonly<Record<string, string>>, path = '/api/v1/silences'): Promise<Response> {
  return web.get(path, { method: 'POST', headers: { ...JSON_TYPE, ...headers }, body: SILENCE });
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
    ['read', '/api/v1/audit', 200],
    ['change', '/', 200],
  ])('"%s" that reads %s is answered with %d', async (role, path, status) => {
    await using web = await start({ users: USERS });
    expect((await web.get(path, basicAuth(role, 'secret'))).status).toBe(status);
  });

  test.each([
    ['metrics', 403],
    ['read', 403],
    ['change', 201],
  ])('"%s" that silences is answered with %d, in its own name', async (role, status) => {
    await using web = await start({ users: USERS });
    const { headers } = basicAuth(role, 'secret');
    expect((await post(web, headers)).status).toBe(status);
    expect(web.state.silences.map(({ by }) => by)).toEqual(status === 201 ? [role] : []);
  });

  test('"read" that reloads or removes a silence changes nothing, and is noted', async () => {
    await using web = await start({ users: USERS });
    const { headers } = basicAuth('read', 'secret');
    const refused = await post(web, headers, '/-/reload');
    expect([refused.status, await refused.text()]).toEqual([
      403,
      'Refused: "read" has the role "read", but this request requires the role "change"\n',
    ]);
    expect((await web.get('/api/v1/silences/silence-1', { method: 'DELETE', headers })).status).toBe(403);
    expect(web.state.reloads).toBe(0);
    expect(web.state.changes).toEqual([]);
    expect(web.state.refusals).toMatchObject([
      { action: 'remove-silence', account: 'read', address: '127.0.0.1', refused: 'role' },
      { action: 'reload', account: 'read', refused: 'role' },
    ]);
  });
});

describe('the audit trail', () => {
  test('has account, address and what was changed, and is served', async () => {
    await using web = await start({ users: USERS });
    const { headers } = basicAuth('change', 'secret');
    await post(web, headers);
    await web.get('/api/v1/silences/silence-1', { method: 'DELETE', headers });
    await post(web, headers, '/-/reload');
    const served: unknown = await (await web.get('/api/v1/audit', { headers })).json();
    expect(served).toMatchObject({
      changes: [
        { action: 'reload', account: 'change', address: '127.0.0.1', detail: 'taken' },
        { action: 'remove-silence', account: 'change', detail: 'silence-1' },
        { action: 'add-silence', account: 'change', detail: expect.stringContaining('silence-1 until ') as string },
      ],
    });
    expect(web.log.filter((line) => line.includes('changed-on-request'))).toHaveLength(3);
  });

  test('counts logins', async () => {
    await using web = await start({ users: USERS });
    await web.get('/');
    await web.get('/', basicAuth('change', 'secret'));
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
  ])('"%s" gets of %s %d', async (authorization, path, status) => {
    await using web = await start({ tokens });
    expect((await web.get(path, { headers: { authorization } })).status).toBe(status);
  });

  test("that cannot be read, or is no token any more, is nobody else's trouble, and stays in force", async () => {
    const file = (name: string): string => folder.at(name);
    const list = ['first', 'second', 'third'].map((name) => ({
      name,
      token: { kind: 'file' as const, path: file(name) },
      role: 'read' as const,
    }));
    for (const { name } of list) await writeFile(file(name), `token-of-${name}\n`);
    await using web = await start({ tokens: list });
    const status = async (token: string): Promise<number> =>
      (await web.get('/', { headers: { authorization: `Bearer ${token}` } })).status;
    const problems = [
      () => rm(file('second')),
      () => writeFile(file('second'), ''),
      () => writeFile(file('second'), '\n\n\0'),
      () => rm(file('second')).then(() => mkdir(file('second'))),
    ];
    for (const cause of problems) {
      await cause();
      expect(await Promise.all(['first', 'second', 'third'].map((name) => status(`token-of-${name}`)))).toEqual([
        200, 200, 200,
      ]);
      expect(await status('guess')).toBe(401);
    }
    await rm(file('second'), { recursive: true });
    await writeFile(file('second'), 'rotated');
    expect([await status('token-of-second'), await status('rotated')]).toEqual([401, 200]);
    expect(web.log.filter((line) => line.includes('token \\"second\\"'))).toHaveLength(problems.length);
  });

  test('is asked for where there are no users', async () => {
    await using web = await start({ tokens });
    expect((await web.get('/metrics')).status).toBe(401);
  });
});

describe('with "anonymous: metrics"', () => {
  const anonymous = 'metrics' as const;

  test.each([
    ['/metrics', 200],
    ['/-/ready', 200],
    ['/', 401],
    ['/api/v1/status', 401],
    ['/probe?target=a', 401],
  ])('%s is answered with %d to who shows nothing', async (path, status) => {
    await using web = await start({ anonymous });
    expect((await web.get(path)).status).toBe(status);
  });

  test('nobody on this machine changes anything without logging in, and users may', async () => {
    await using web = await start({ anonymous, users: USERS });
    expect((await post(web, {})).status).toBe(401);
    expect((await post(web, basicAuth('change', 'secret').headers)).status).toBe(201);
    expect((await web.get('/metrics', basicAuth('read', 'guess'))).status).toBe(401);
  });
});

describe('a client certificate', () => {
  interface Asked {
    readonly client?: Identity;
    readonly headers?: Readonly<Record<string, string>>;
    readonly path?: string;
  }

  async function startTls(config: Partial<WebConfig>): Promise<WebBench & { readonly root: string }> {
    const server = await createIdentity({ name: 'CN=monitor', dnsNames: ['monitor.example.org'] });
    const file = async (name: string, pem: string): Promise<string> => {
      const path = folder.at(name);
      await writeFile(path, pem);
      return path;
    };
    const tls = {
      certFile: await file('server.pem', server.pem),
      keyFile: await file('server.key', server.keyPem),
      clientCaFile: await file('clients.pem', authority.pem),
      clientCrlFile: null,
    };
    return Object.assign(await start({ tls, ...config }), { root: server.pem });
  }

  async function ask(web: WebBench & { readonly root: string }, { client, headers, path = '/metrics' }: Asked) {
    const sent = request({
      host: '127.0.0.1',
      port: web.port,
      path,
      ca: web.root,
      servername: 'monitor.example.org',
      ...(client === undefined ? {} : { cert: client.pem, key: client.keyPem }),
      ...(headers === undefined ? {} : { headers }),
    });
    sent.end();
    const [response] = await once(sent, 'response');
    response.resume();
    return Number(response.statusCode);
  }

  test('lets in by its common name or a DNS name, in its role', async () => {
    const client = await createIdentity({ name: 'CN=prometheus', issuer: authority });
    const other = await createIdentity({ name: 'CN=x', dnsNames: ['scraper.example.org'], issuer: authority });
    const certificates = ['prometheus', 'scraper.example.org'].map((name) => ({ name, role: 'metrics' as const }));
    await using web = await startTls({ certificates });
    expect(await ask(web, { client })).toBe(200);
    expect(await ask(web, { client: other })).toBe(200);
    expect(await ask(web, { client, path: '/' })).toBe(403);
  });

  test('is worth nothing under another authority, and nobody is shut out by having none', async () => {
    const forged = await createIdentity({ name: 'CN=prometheus', issuer: stranger });
    await using web = await startTls({ certificates: [{ name: 'prometheus', role: 'change' }], users: USERS });
    expect(await ask(web, { client: forged })).toBe(401);
    expect(await ask(web, {})).toBe(401);
    expect(await ask(web, { headers: basicAuth('metrics', 'secret').headers })).toBe(200);
  });

  test('of a proxy makes its header count', async () => {
    const client = await createIdentity({ name: 'CN=proxy.example.org', issuer: authority });
    const proxy: WebConfig['proxy'] = {
      userHeader: 'X-User',
      secret: null,
      secretHeader: 'X-Proxy-Secret',
      certificate: 'proxy.example.org',
      role: 'read',
    };
    await using web = await startTls({ proxy });
    expect(await ask(web, { client, headers: { 'X-User': 'ada' } })).toBe(200);
    expect(await ask(web, { client })).toBe(401);
    expect(await ask(web, { headers: { 'X-User': 'ada' } })).toBe(401);
  });
});
