import { describe, expect, test } from 'vitest';
import { createLogin, loginProblems } from '../../../src/web/login.ts';
import { hashPassword } from '../../../src/web/scrypt-hash.ts';
import { handClock } from '../../support/hand-clock.ts';

const CHEAP = { ln: 4, r: 8, p: 1 };
const START = Date.parse('2026-11-24T13:00:00Z');
const USERS = [{ name: 'ops', passwordHash: { kind: 'env', name: 'OPS_HASH' } }] as const;

async function createOpsLogin() {
  const env: NodeJS.ProcessEnv = { OPS_HASH: await hashPassword('secret', CHEAP) };
  const clock = handClock(START);
  return { env, clock, login: await createLogin(USERS, clock, env) };
}

describe('createLogin()', () => {
  test.each([
    ['ops', 'secret', 'accepted'],
    ['ops', 'Secret', 'refused'],
    ['ops', '', 'refused'],
    ['Ops', 'secret', 'refused'],
    ['nobody', 'secret', 'refused'],
    ['__proto__', 'secret', 'refused'],
  ])('answers %s with %j: %s', async (name, password, expected) => {
    const { login } = await createOpsLogin();

    await expect(login.check(name, password)).resolves.toBe(expected);
  });

  test('remembers a right password for a minute, and not one that was wrong', async () => {
    const { login, clock } = await createOpsLogin();
    await login.check('ops', 'secret');
    const flood = Array.from({ length: 8 }, (_, index) => login.check('ops', `wrong ${String(index)}`));
    const remembered = login.check('ops', 'secret');

    await expect(remembered).resolves.toBe('accepted');
    await Promise.all(flood);
    await expect(login.check('ops', 'wrong 0')).resolves.toBe('refused');

    clock.advance(60_000);
    const second = Array.from({ length: 8 }, (_, index) => login.check('ops', `wrong ${String(index)}`));
    await expect(login.check('ops', 'secret')).resolves.toBe('busy');
    await Promise.all(second);
  });

  test('turns logins away when too many wait, and joins those that are the same', async () => {
    const { login } = await createOpsLogin();

    const same = await Promise.all(Array.from({ length: 50 }, () => login.check('ops', 'secret')));
    const different = await Promise.all(Array.from({ length: 50 }, (_, index) => login.check('ops', `wrong ${String(index)}`)));

    expect(new Set(same)).toEqual(new Set(['accepted']));
    expect(different.filter((outcome) => outcome === 'refused')).toHaveLength(8);
    expect(different.filter((outcome) => outcome === 'busy')).toHaveLength(42);
  });

  test('lets unknown users wait in the same queue: they cost as much as known ones', async () => {
    const { login } = await createOpsLogin();
    const strangers = Array.from({ length: 8 }, (_, index) => login.check(`stranger ${String(index)}`, 'secret'));

    await expect(login.check('stranger 8', 'secret')).resolves.toBe('busy');
    await Promise.all(strangers);
  });

  test('checks an unknown name against the hash of a user, always the same one, and refuses it whatever comes out', async () => {
    const env: NodeJS.ProcessEnv = { OPS_HASH: await hashPassword('secret', CHEAP), HQ_HASH: await hashPassword('other', CHEAP) };
    const users = [...USERS, { name: 'hq', passwordHash: { kind: 'env', name: 'HQ_HASH' } }] as const;
    const login = await createLogin(users, handClock(START), env);
    await Promise.all([login.check('ops', 'secret'), login.check('hq', 'other')]);

    await expect(Promise.all(['secret', 'other'].map((password) => login.check('nobody', password)))).resolves.toEqual([
      'refused',
      'refused',
    ]);

    // Without the file of one, the names that it stands in for are answered as that user is, and the others are not.
    delete env['HQ_HASH'];
    const names = Array.from({ length: 32 }, (_, index) => `stranger ${String(index)}`);
    const outcomes = new Set<string>();
    for (const name of names) outcomes.add(await login.check(name, 'x').catch(() => 'rejected'));
    expect(outcomes).toEqual(new Set(['refused', 'rejected']));
    await expect(login.check('hq', 'other')).rejects.toThrow('"hq"');
  });

  test('takes a changed password at once, although the old one is remembered', async () => {
    const { login, env } = await createOpsLogin();
    await login.check('ops', 'secret');

    env['OPS_HASH'] = await hashPassword('changed', CHEAP);

    await expect(login.check('ops', 'secret')).resolves.toBe('refused');
    await expect(login.check('ops', 'changed')).resolves.toBe('accepted');
  });

  test.each([
    ['an unset variable', {}, 'environment variable "OPS_HASH" is not set'],
    ['a bcrypt hash that costs too much', { OPS_HASH: `$2b$15$${'a'.repeat(53)}` }, 'expected a bcrypt cost of 4 to 14, got 15'],
    ['a plain password', { OPS_HASH: 'hunter2' }, 'expected "$scrypt$'],
  ])('refuses to start with %s, and names the user', async (_, env, message) => {
    const start = createLogin(USERS, handClock(START), env);

    await expect(start).rejects.toThrow('Cannot check the password of web user "ops": ');
    await expect(start).rejects.toThrow(message);
  });
});

describe('loginProblems()', () => {
  test('names each user who could not log in', async () => {
    const users = [...USERS, { name: 'hq', passwordHash: { kind: 'env', name: 'HQ_HASH' } }] as const;

    await expect(loginProblems(users, { OPS_HASH: await hashPassword('secret', CHEAP), HQ_HASH: 'hunter2' })).resolves.toEqual([
      expect.stringMatching(/^Cannot check the password of web user "hq": Cannot read the password hash: expected/u),
    ]);
  });
});
