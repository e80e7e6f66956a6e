import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { type IncomingMessage, request } from 'node:http';
import { hashSync } from 'bcryptjs';
import { describe, expect, test } from 'vitest';
import { parsePasswordHash, verifyPassword, hashPassword } from '../../../src/web/password-hash.ts';
import { runCommand } from '../../support/process/command-line.ts';
import { watchTurns } from '../../support/process/cpu-time.ts';
import { basicAuth, startWeb, type WebBench } from '../../support/web/web-bench.ts';

const USERS = [{ name: 'ops', passwordHash: { kind: 'env', name: 'OPS_HASH' }, role: 'change' }] as const;
const PASSWORD = 'p:ä✓';
const RIGHT = basicAuth('ops', PASSWORD);

async function startClosed(ln = 4): Promise<WebBench> {
  return startWeb({ config: { users: USERS }, env: { OPS_HASH: await hashPassword(PASSWORD, { ln, r: 8, p: 1 }) } });
}

describe('with users', () => {
  test.each(['/', '/metrics', '/api/v1/status', '/api/v1/incidents', '/static/style.css', '/nothing'])(
    '%s asks for a password',
    async (path) => {
      await using web = await startClosed();
      const response = await web.get(path);
      expect(response.status).toBe(401);
      expect(response.headers.get('WWW-Authenticate')).toBe('Basic realm="ftm-watch", charset="UTF-8"');
      expect(response.headers.get('Cache-Control')).toBe('no-store');
    },
  );

  test.each(['/-/healthy', '/-/ready'])('%s is open', async (path) => {
    await using web = await startClosed();
    expect(await web.status(path)).toBe(200);
  });

  test.each([
    ['scrypt', () => hashPassword(PASSWORD, { ln: 4, r: 8, p: 1 })],
    ['bcrypt', () => Promise.resolve(hashSync(PASSWORD, 4))],
  ])('lets in who has the password, of letters of any kind, by a hash of %s', async (_, hash) => {
    await using web = await startWeb({ config: { users: USERS }, env: { OPS_HASH: await hash() } });
    expect([await web.status('/', RIGHT), await web.status('/', basicAuth('ops', 'p:ä'))]).toEqual([200, 401]);
  });

  test('turns away everybody else, and logs the name without the password', async () => {
    await using web = await startClosed();
    const wrong = [basicAuth('ops', 'wrong-password'), basicAuth('ops', ''), basicAuth('\u202enobody', PASSWORD)];
    for (const login of wrong) expect(await web.status('/', login)).toBe(401);
    for (const Authorization of ['Bearer abc', 'Basic !!!'])
      expect(await web.status('/', { headers: { Authorization } })).toBe(401);
    const refused = web.log.filter((line) => line.includes('"login-refused"'));
    expect(refused).toHaveLength(3);
    expect(refused.join('')).toContain('\\\\u{202E}nobody');
    expect(refused.join('')).toContain('127.0.0.1');
    expect(web.log.join('')).not.toContain('wrong-password');
  });

  test('asks for it before a reload too, and then takes any name of the host', async () => {
    await using web = await startClosed();
    for (const [login, status, reloads] of [[{}, 401, 0] as const, [RIGHT, 200, 1] as const]) {
      expect(await web.status('/-/reload', { method: 'POST', ...login })).toBe(status);
      expect(web.state.reloads).toBe(reloads);
    }
  });

  test('answers 429 to who gets too many wrong, says so once, and lets others in', async () => {
    await using web = await startClosed();
    const statuses: number[] = [];
    for (let index = 0; index < 40; index += 1) {
      // Any client can forge the origin of a request.
      const forged = { 'X-Forwarded-For': `192.0.2.${String(index)}` };
      const { headers } = basicAuth('ops', `wrong ${String(index)}`);
      statuses.push(await web.status('/', { headers: { ...headers, ...forged } }));
    }
    const turnedAway = await web.get('/', RIGHT);
    expect(statuses.slice(0, 10)).toEqual(Array(10).fill(401));
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(28);
    expect(turnedAway.status).toBe(429);
    expect(Number(turnedAway.headers.get('Retry-After'))).toBeGreaterThan(0);
    expect(turnedAway.headers.get('Content-Security-Policy')).toContain("default-src 'none'");
    expect(web.log.filter((line) => line.includes('"logins-limited"'))).toHaveLength(1);
    const elsewhere = request({ port: web.port, localAddress: '127.0.0.2', ...RIGHT }).end();
    const [answer] = (await once(elsewhere, 'response')) as [IncomingMessage];
    answer.resume();
    expect(answer.statusCode).toBe(200);
  });

  test('holds nothing else up while many try at once', async () => {
    await using web = await startClosed(15);
    const before = process.cpuUsage();
    using turns = watchTurns();
    const flood = Array.from({ length: 200 }, (_, index) =>
      web.status('/', basicAuth('ops', `wrong ${String(index)}`)),
    );
    expect(await web.status('/-/healthy')).toBe(200);
    const statuses = await Promise.all(flood);
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
  const text = readFileSync(new URL('../../../docs/web.md', import.meta.url), 'utf8');

  test('says how to make a hash that opens the page', async () => {
    const [, command = ''] = /^ftm-watch (.+) > ops\.hash/mu.exec(text) ?? [];
    const { output } = await runCommand(command.split(' '), { input: Readable.from([Buffer.from(PASSWORD)]) });
    await expect(verifyPassword(PASSWORD, parsePasswordHash(output))).resolves.toBe(true);
  });

  test('says how to make a bcrypt hash from the line of htpasswd', () => {
    const [, filter = ''] = /htpasswd -nB -C 12 ops \| (.+) > ops\.hash/u.exec(text) ?? [];
    const line = execFileSync('sh', ['-c', filter], { input: `ops:${hashSync(PASSWORD, 4)}\n\n`, encoding: 'utf8' });
    expect(parsePasswordHash(line)).toMatchObject({ kind: 'bcrypt' });
  });
});
