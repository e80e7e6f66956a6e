import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { hashSync } from 'bcryptjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { parsePasswordHash, verifyPassword, hashPassword } from '../../../src/web/password-hash.ts';
import { watchTurns } from '../../support/process/cpu-time.ts';
import { basicAuth, startWeb, type WebBench } from '../../support/web/web-bench.ts';

const USERS = [{ name: 'ops', passwordHash: { kind: 'env', name: 'OPS_HASH' }, role: 'change' }] as const;
let hash = '';

beforeAll(async () => {
  hash = await hashPassword('p:ä✓', { ln: 4, r: 8, p: 1 });
});

function startClosed(): Promise<WebBench> {
  return startWeb({ config: { users: USERS }, env: { OPS_HASH: hash } });
}

describe('with users', () => {
  test.each([
    '/',
    '/metrics',
    '/api/v1/status',
    '/api/v1/incidents',
    '/api/v1/events',
    '/static/style.css',
    '/nothing',
  ])('%s asks for a password', async (path) => {
    await using web = await startClosed();

    const response = await web.get(path);

    expect([response.status, await response.text()]).toEqual([
      401,
      'Log in with a name and password from web.users, or with other configured credentials\n',
    ]);
    expect(response.headers.get('WWW-Authenticate')).toBe('Basic realm="ftm-watch", charset="UTF-8"');
    expect(response.headers.get('Cache-Control')).toBe('no-store');
  });

  test.each(['/-/healthy', '/-/ready'])('%s is open', async (path) => {
    await using web = await startClosed();

    expect((await web.get(path)).status).toBe(200);
  });

  test('lets in who has the password, with colons and letters of any kind in it', async () => {
    await using web = await startClosed();

    expect((await web.get('/', basicAuth('ops', 'p:ä✓'))).status).toBe(200);
  });

  test('lets in with a bcrypt hash too', async () => {
    await using web = await startWeb({ config: { users: USERS }, env: { OPS_HASH: hashSync('p:ä✓', 4) } });

    expect((await web.get('/', basicAuth('ops', 'p:ä✓'))).status).toBe(200);
    expect((await web.get('/', basicAuth('ops', 'p:ä'))).status).toBe(401);
  });

  test('turns away everybody else, and logs the name without the password', async () => {
    await using web = await startClosed();

    for (const [name, password] of [
      ['ops', 'wrong-password'],
      ['ops', ''],
      ['\u202enobody', 'p:ä✓'],
    ] as const) {
      expect((await web.get('/', basicAuth(name, password))).status).toBe(401);
    }
    expect((await web.get('/', { headers: { Authorization: 'Bearer abc' } })).status).toBe(401);
    expect((await web.get('/', { headers: { Authorization: 'Basic !!!' } })).status).toBe(401);

    expect(web.log.filter((line) => line.includes('Refused a login'))).toHaveLength(3);
    expect(web.log.join('')).toContain('\\\\u{202E}nobody');
    expect(web.log.join('')).toContain('127.0.0.1');
    expect(web.log.join('')).not.toContain('wrong-password');
  });

  test('asks for it before a reload too, and then takes any name of the host', async () => {
    await using web = await startClosed();

    expect((await web.get('/-/reload', { method: 'POST' })).status).toBe(401);
    expect(web.state.reloads).toBe(0);
    expect((await web.get('/-/reload', { method: 'POST', ...basicAuth('ops', 'p:ä✓') })).status).toBe(200);
    expect(web.state.reloads).toBe(1);
  });

  test('answers 429 to who gets too many wrong, says so once, and lets others in', async () => {
    await using web = await startClosed();

    const statuses: number[] = [];
    for (let index = 0; index < 40; index += 1) {
      // Any client can forge the origin of a request.
      const headers = {
        ...basicAuth('ops', `wrong ${String(index)}`).headers,
        'X-Forwarded-For': `192.0.2.${String(index)}`,
      };
      statuses.push((await web.get('/', { headers })).status);
    }
    const turnedAway = await web.get('/', basicAuth('ops', 'p:ä✓'));

    expect(statuses.slice(0, 10)).toEqual(Array(10).fill(401));
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(28);
    expect(turnedAway.status).toBe(429);
    expect(Number(turnedAway.headers.get('Retry-After'))).toBeGreaterThan(0);
    expect(turnedAway.headers.get('Content-Security-Policy')).toContain("default-src 'none'");
    expect(web.log.filter((line) => line.includes('Rejecting logins'))).toHaveLength(1);
    const elsewhere = request({ port: web.port, localAddress: '127.0.0.2', ...basicAuth('ops', 'p:ä✓') }).end();
    const [answer] = (await once(elsewhere, 'response')) as [IncomingMessage];
    answer.resume();
    expect(answer.statusCode).toBe(200);
  });

  test('holds nothing else up while many try at once', async () => {
    hash = await hashPassword('p:ä✓', { ln: 15, r: 8, p: 1 });
    await using web = await startClosed();

    const before = process.cpuUsage();
    using turns = watchTurns();
    const flood = Array.from({ length: 200 }, (_, index) => web.get('/', basicAuth('ops', `wrong ${String(index)}`)));
    const healthy = await web.get('/-/healthy');
    const statuses = (await Promise.all(flood)).map(({ status }) => status);

    expect(healthy.status).toBe(200);
    // Other threads compute the hashes.
    expect(turns.sum()).toBeLessThan(process.cpuUsage(before).user / 1000 / 2);
    expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(12);
    expect(new Set(statuses)).toEqual(new Set([401, 429]));
  });

  test('does not start when a hash cannot be used', async () => {
    await expect(startWeb({ config: { users: USERS }, env: { OPS_HASH: '$2b$12$abc' } })).rejects.toThrow('OPS_HASH');
  });
});

describe('docs/web.md', () => {
  test('says how to make a hash that opens the page', async () => {
    const text = readFileSync(new URL('../../../docs/web.md', import.meta.url), 'utf8');
    const [, command = ''] = /^ftm-watch (.+) > ops\.hash/mu.exec(text) ?? [];
    const program = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));

    const line = execFileSync(process.execPath, [program, ...command.split(' ')], { input: 'p:ä✓', encoding: 'utf8' });

    await expect(verifyPassword('p:ä✓', parsePasswordHash(line))).resolves.toBe(true);
  });

  test('says how to make a bcrypt hash from the line of htpasswd', () => {
    const text = readFileSync(new URL('../../../docs/web.md', import.meta.url), 'utf8');
    const [, filter = ''] = /htpasswd -nB -C 12 ops \| (.+) > ops\.hash/u.exec(text) ?? [];

    const line = execFileSync('sh', ['-c', filter], { input: `ops:${hashSync('p:ä✓', 4)}\n\n`, encoding: 'utf8' });

    expect(parsePasswordHash(line)).toMatchObject({ kind: 'bcrypt' });
  });
});
