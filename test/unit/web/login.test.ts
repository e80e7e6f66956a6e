import { describe, expect, test } from 'vitest';
import { createLogin, type Login, loginProblems } from '../../../src/web/login.ts';
import { hashPassword } from '../../../src/web/scrypt-hash.ts';
import { handClock } from '../../support/hand-clock.ts';

const CHEAP = { ln: 4, r: 8, p: 1 };
const START = Date.parse('2026-11-24T13:00:00Z');
const USERS = [{ name: 'ops', passwordHash: { kind: 'env', name: 'OPS_HASH' }, role: 'change' }] as const;

async function createOpsLogin() {
  const env: NodeJS.ProcessEnv = { OPS_HASH: await hashPassword('secret', CHEAP) };
  const clock = handClock(START);
  return { env, clock, login: await createLogin(USERS, clock, env) };
}

async function ask(
  login: Login,
  name: string,
  password: string,
  address = '192.0.2.1',
): Promise<'accepted' | 'refused' | 'later'> {
  return (await login.check(name, password, address)).kind;
}

function elsewhere(index: number): string {
  return `198.51.100.${String(index)}`;
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

    await expect(ask(login, name, password)).resolves.toBe(expected);
  });

  test('remembers a right password for a minute, and not one that was wrong', async () => {
    const { login, clock } = await createOpsLogin();
    await ask(login, 'ops', 'secret');
    const flood = Array.from({ length: 8 }, (_, index) => ask(login, 'ops', `wrong ${String(index)}`));
    const remembered = ask(login, 'ops', 'secret');

    await expect(remembered).resolves.toBe('accepted');
    await Promise.all(flood);
    await expect(ask(login, 'ops', 'wrong 0')).resolves.toBe('refused');

    clock.advance(60_000);
    const second = Array.from({ length: 8 }, (_, index) => ask(login, 'ops', `wrong ${String(index)}`));
    await expect(ask(login, 'ops', 'secret')).resolves.toBe('later');
    await Promise.all(second);
  });

  test('turns logins away when too many wait, and joins those that are the same', async () => {
    const { login } = await createOpsLogin();

    const same = await Promise.all(Array.from({ length: 50 }, () => ask(login, 'ops', 'secret')));
    const different = await Promise.all(
      Array.from({ length: 50 }, (_, index) => ask(login, 'ops', `wrong ${String(index)}`, elsewhere(index))),
    );

    expect(new Set(same)).toEqual(new Set(['accepted']));
    expect(different.filter((outcome) => outcome === 'refused')).toHaveLength(8);
    expect(different.filter((outcome) => outcome === 'later')).toHaveLength(42);
  });

  test('lets unknown users wait in the same queue: they cost as much as known ones', async () => {
    const { login } = await createOpsLogin();
    const strangers = Array.from({ length: 8 }, (_, index) =>
      ask(login, `stranger ${String(index)}`, 'secret', elsewhere(index)),
    );

    await expect(ask(login, 'stranger 8', 'secret')).resolves.toBe('later');
    await Promise.all(strangers);
  });

  test('checks an unknown name against the hash of a user, always the same one, and refuses it', async () => {
    const env: NodeJS.ProcessEnv = {
      OPS_HASH: await hashPassword('secret', CHEAP),
      HQ_HASH: await hashPassword('other', CHEAP),
    };
    const users = [...USERS, { name: 'hq', passwordHash: { kind: 'env', name: 'HQ_HASH' }, role: 'change' }] as const;
    const login = await createLogin(users, handClock(START), env);
    await Promise.all([ask(login, 'ops', 'secret'), ask(login, 'hq', 'other')]);

    await expect(Promise.all(['secret', 'other'].map((password) => ask(login, 'nobody', password)))).resolves.toEqual([
      'refused',
      'refused',
    ]);

    // Without the file of one, the names that it stands in for are answered as that user is, and the others are not.
    delete env['HQ_HASH'];
    const names = Array.from({ length: 32 }, (_, index) => `stranger ${String(index)}`);
    const outcomes = new Set<string>();
    for (const [index, name] of names.entries())
      outcomes.add(await ask(login, name, 'x', elsewhere(index)).catch(() => 'rejected'));
    expect(outcomes).toEqual(new Set(['refused', 'rejected']));
    await expect(ask(login, 'hq', 'other')).rejects.toThrow('"hq"');
  });

  test('leaves places in the queue to others, and more to those who were right before', async () => {
    const { login, clock } = await createOpsLogin();
    await ask(login, 'ops', 'secret', elsewhere(200));
    clock.advance(60_000);
    const greedy = Array.from({ length: 8 }, (_, index) => ask(login, 'ops', `wrong ${String(index)}`));
    const crowd = Array.from({ length: 8 }, (_, index) =>
      ask(login, 'ops', `wrong again ${String(index)}`, elsewhere(index)),
    );
    const good = ask(login, 'ops', 'secret', elsewhere(200));

    expect((await Promise.all(greedy)).filter((outcome) => outcome === 'refused')).toHaveLength(4);
    expect((await Promise.all(crowd)).filter((outcome) => outcome === 'refused')).toHaveLength(4);
    await expect(good).resolves.toBe('accepted');
  });

  test('refuses a network after ten wrong passwords until time has passed, and no other network', async () => {
    const { login, clock } = await createOpsLogin();
    for (let index = 0; index < 10; index += 1)
      await expect(ask(login, 'ops', `wrong ${String(index)}`)).resolves.toBe('refused');

    await expect(login.check('ops', 'secret', '192.0.2.1')).resolves.toEqual({ kind: 'later', retryAfter: 6_000 });
    await expect(login.check('ops', 'secret', '::ffff:192.0.2.1')).resolves.toEqual({
      kind: 'later',
      retryAfter: 6_000,
    });
    await expect(ask(login, 'ops', 'secret', '192.0.2.2')).resolves.toBe('accepted');
    // A right one that is remembered is not looked at either, and lets in.
    await expect(ask(login, 'ops', 'secret')).resolves.toBe('accepted');
    clock.advance(60_000);
    await expect(ask(login, 'ops', 'secret')).resolves.toBe('accepted');
  });

  test('takes a changed password at once, although the old one is remembered', async () => {
    const { login, env } = await createOpsLogin();
    await ask(login, 'ops', 'secret');

    env['OPS_HASH'] = await hashPassword('changed', CHEAP);

    await expect(ask(login, 'ops', 'secret')).resolves.toBe('refused');
    await expect(ask(login, 'ops', 'changed')).resolves.toBe('accepted');
  });

  test.each([
    ['an unset variable', {}, 'environment variable "OPS_HASH" is not set'],
    [
      'a bcrypt hash that costs too much',
      { OPS_HASH: `$2b$15$${'a'.repeat(53)}` },
      'expected a bcrypt cost of 4 to 14, got 15',
    ],
    ['a plain password', { OPS_HASH: 'hunter2' }, 'expected "$scrypt$'],
  ])('refuses to start with %s, and names the user', async (_, env, message) => {
    const start = createLogin(USERS, handClock(START), env);

    await expect(start).rejects.toThrow('Cannot check the password of web user "ops": ');
    await expect(start).rejects.toThrow(message);
  });
});

describe('loginProblems()', () => {
  test('names each user who could not log in', async () => {
    const users = [...USERS, { name: 'hq', passwordHash: { kind: 'env', name: 'HQ_HASH' }, role: 'change' }] as const;

    await expect(
      loginProblems(users, { OPS_HASH: await hashPassword('secret', CHEAP), HQ_HASH: 'hunter2' }),
    ).resolves.toEqual([
      expect.stringMatching(/^Cannot check the password of web user "hq": Cannot read the password hash: expected/u),
    ]);
  });
});
