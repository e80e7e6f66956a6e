import pino from 'pino';
import { describe, expect, test } from 'vitest';
import { createLogin, LoginLimit, networkOf } from '../../../src/web/login.ts';
import { hashPassword } from '../../../src/web/password-hash.ts';
import { handClock } from '../../support/time/hand-clock.ts';

type Login = Awaited<ReturnType<typeof createLogin>>;

const silent = pino({ level: 'silent' });
const CHEAP = { ln: 4, r: 8, p: 1 };
const START = Date.parse('2026-11-24T13:00:00Z');
const USERS = [{ name: 'ops', passwordHash: { kind: 'env', name: 'OPS_HASH' }, role: 'change' }] as const;
const TWO_USERS = [...USERS, { name: 'hq', passwordHash: { kind: 'env', name: 'HQ_HASH' }, role: 'change' }] as const;

async function createOpsLogin() {
  const env: NodeJS.ProcessEnv = { OPS_HASH: await hashPassword('secret', CHEAP) };
  const clock = handClock(START);
  return { env, clock, login: await createLogin(USERS, { clock, logger: silent, env }) };
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

/** Tries this many wrong passwords at once. */
function flood(login: Login, count: number, addressOf: (index: number) => string | undefined = elsewhere) {
  return Array.from({ length: count }, (_, index) => ask(login, 'ops', `wrong ${String(index)}`, addressOf(index)));
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
    const first = flood(login, 8, () => undefined);
    const remembered = ask(login, 'ops', 'secret');

    await expect(remembered).resolves.toBe('accepted');
    await Promise.all(first);
    await expect(ask(login, 'ops', 'wrong 0')).resolves.toBe('refused');

    clock.advance(60_000);
    const second = flood(login, 8);
    await expect(ask(login, 'ops', 'secret', elsewhere(100))).resolves.toBe('later');
    await Promise.all(second);
  });

  test('turns logins away when too many wait, and joins those that are the same', async () => {
    const { login } = await createOpsLogin();

    const same = await Promise.all(Array.from({ length: 50 }, () => ask(login, 'ops', 'secret')));
    const different = await Promise.all(flood(login, 50));

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
    const hashes = { OPS_HASH: await hashPassword('secret', CHEAP), HQ_HASH: await hashPassword('other', CHEAP) };
    let read: string[] = [];
    const env: NodeJS.ProcessEnv = {
      get OPS_HASH() {
        read.push('ops');
        return hashes.OPS_HASH;
      },
      get HQ_HASH() {
        read.push('hq');
        return hashes.HQ_HASH;
      },
    };
    const clock = handClock(START);
    const login = await createLogin(TWO_USERS, { clock, logger: silent, env });

    const chosen = new Set<string>();
    for (let index = 0; index < 32; index += 1) {
      read = [];
      clock.advance(60_000);
      for (const password of ['secret', 'other'])
        await expect(ask(login, `stranger ${String(index)}`, password, elsewhere(index))).resolves.toBe('refused');
      expect(read).toEqual([read[0], read[0]]);
      chosen.add(read[0] ?? '');
    }
    expect(chosen).toEqual(new Set(['ops', 'hq']));
  });

  test.each([
    ['missing', undefined],
    ['empty', ''],
    ['garbage', 'hunter2'],
  ])(
    'goes on with the hash before while one is %s: for its user, for others, and for unknown names',
    async (_, text) => {
      const env: NodeJS.ProcessEnv = {
        OPS_HASH: await hashPassword('secret', CHEAP),
        HQ_HASH: await hashPassword('other', CHEAP),
      };
      const warnings: string[] = [];
      const logger = pino({}, { write: (line: string) => void warnings.push(line) });
      const login = await createLogin(TWO_USERS, { clock: handClock(START), logger, env });
      Object.assign(env, { HQ_HASH: text });

      for (let index = 0; index < 8; index += 1)
        await expect(ask(login, `stranger ${String(index)}`, 'x', elsewhere(index))).resolves.toBe('refused');
      await expect(ask(login, 'ops', 'secret')).resolves.toBe('accepted');
      await expect(ask(login, 'hq', 'other')).resolves.toBe('accepted');
      await expect(ask(login, 'hq', 'secret')).resolves.toBe('refused');
      expect(warnings.filter((line) => line.includes('user \\"hq\\"') && line.includes('stays active'))).toHaveLength(
        1,
      );

      env['HQ_HASH'] = await hashPassword('new', CHEAP);
      await expect(ask(login, 'hq', 'other')).resolves.toBe('refused');
      await expect(ask(login, 'hq', 'new')).resolves.toBe('accepted');
    },
  );

  test('checks the password of a network that was right before, although too many others wait', async () => {
    const { login, clock } = await createOpsLogin();
    await ask(login, 'ops', 'secret', elsewhere(200));
    clock.advance(60_000);
    const crowd = flood(login, 12);

    await expect(ask(login, 'ops', 'secret', elsewhere(200))).resolves.toBe('accepted');
    expect((await Promise.all(crowd)).filter((outcome) => outcome === 'refused')).toHaveLength(8);
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
    // A correct password that is remembered is accepted without a check.
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
    ['an unset variable', {}],
    ['a bcrypt hash that costs too much', { OPS_HASH: `$2b$15$${'a'.repeat(53)}` }],
    ['a plain password', { OPS_HASH: 'hunter2' }],
  ])('refuses to start with %s, and names the user', async (_, env) => {
    const start = createLogin(USERS, { clock: handClock(START), logger: silent, env });
    await expect(start).rejects.toThrow('"ops"');
    await expect(start).rejects.not.toThrow('hunter2');
  });

  test('names each user who could not log in', async () => {
    const env = { OPS_HASH: 'hunter2', HQ_HASH: 'hunter2' };

    await expect(createLogin(TWO_USERS, { clock: handClock(START), logger: silent, env })).rejects.toThrow(
      /"ops".*\n.*"hq".*$/u,
    );
  });
});

/** Returns how many of these tries are granted. */
function granted(limit: LoginLimit, network: (index: number) => string, tries: number): number {
  return Array.from({ length: tries }, (_, index) => limit.take(network(index))).filter((wait) => wait === null).length;
}

describe('LoginLimit', () => {
  test('grants a network ten at once and one every six seconds', () => {
    const clock = handClock(0);
    const limit = new LoginLimit(clock);

    expect(granted(limit, () => 'a', 50)).toBe(10);
    expect(limit.take('a')).toBe(6_000);
    clock.advance(5_999);
    expect(limit.take('a')).toBeCloseTo(1);
    clock.advance(1);
    expect(limit.take('a')).toBeNull();
    clock.advance(3_600_000);
    expect(granted(limit, () => 'a', 50)).toBe(10);
  });

  test('grants everybody together forty at once and one a second', () => {
    const clock = handClock(0);
    const limit = new LoginLimit(clock);

    expect(granted(limit, String, 10_000)).toBe(40);
    expect(limit.take('new')).toBe(1_000);
    clock.advance(10_000);
    expect(granted(limit, (index) => `later ${String(index)}`, 10_000)).toBe(10);
  });

  test('grants who was right before, whatever others do, and not more than ten', () => {
    const limit = new LoginLimit(handClock(0));
    limit.trust('good');

    granted(limit, String, 10_000);

    expect(granted(limit, () => 'good', 50)).toBe(10);
    expect(limit.take('bad')).not.toBeNull();
  });

  test('trusts for a day', () => {
    const clock = handClock(0);
    const limit = new LoginLimit(clock);
    limit.trust('good');

    clock.advance(24 * 3_600_000 - 1);
    expect(limit.isTrusted('good')).toBe(true);
    clock.advance(1);
    expect(limit.isTrusted('good')).toBe(false);
  });

  test('counts what is given back as never taken', () => {
    const limit = new LoginLimit(handClock(0));

    for (let index = 0; index < 1_000; index += 1) {
      expect(limit.take('a')).toBeNull();
      limit.giveBack('a');
    }
    expect(granted(limit, () => 'a', 50)).toBe(10);
  });

  test('keeps no more than 4,096 networks, those that came last', () => {
    const limit = new LoginLimit(handClock(0));

    for (let index = 0; index <= 4_096; index += 1) limit.trust(String(index));

    expect(limit.isTrusted('0')).toBe(false);
    expect(limit.isTrusted('1')).toBe(true);
    expect(limit.isTrusted('4096')).toBe(true);
  });
});

describe('networkOf()', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2::1', '20010db800010002/64'],
    ['2001:db8:1:2:ffff:ffff:ffff:ffff', '20010db800010002/64'],
    ['2001:db8:1:3::1', '20010db800010003/64'],
    ['fe80::1%eth0', 'fe80000000000000/64'],
    ['::1', '0000000000000000/64'],
    ['', 'unknown'],
    [undefined, 'unknown'],
  ])('%s is of %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});
