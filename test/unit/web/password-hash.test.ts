import { setImmediate } from 'node:timers/promises';
import { hashSync } from 'bcryptjs';
import { describe, expect, test } from 'vitest';
import { hashPassword, parsePasswordHash, verifyPassword } from '../../../src/web/password-hash.ts';

const SALT = 'c29tZXNhbHRzb21lc2FsdA';
const HASH = 'A'.repeat(43);
const BCRYPT_TAIL = 'CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';
const CHEAP = { ln: 4, r: 8, p: 1 };

function scrypt(password: string): Promise<string> {
  return hashPassword(password, CHEAP);
}

function bcrypt(password: string, cost = 4): string {
  return hashSync(password, cost);
}

describe('parsePasswordHash()', () => {
  test.each([
    ['scrypt', `$scrypt$ln=4,r=8,p=1$${SALT}$${HASH}`],
    ['bcrypt', `$2y$05$${BCRYPT_TAIL}`],
  ])('takes %s', (kind, text) => {
    expect(parsePasswordHash(`${text}\n\n`)).toMatchObject({ kind });
  });

  const read = 'Cannot read';
  const use = 'Cannot use';
  test.each([
    ['nothing', '', read],
    ['a plain password', 'hunter2', read],
    ['a plain password behind its name', 'hunter2:$2y$05$x', read],
    ['the line of htpasswd with its name', `ops:$2y$05$${BCRYPT_TAIL}`, read],
    ['the hashes of two', `$2y$05$${BCRYPT_TAIL}\n$2y$05$${BCRYPT_TAIL}`, read],
    ['bcrypt cut short', `$2y$05$${BCRYPT_TAIL.slice(1)}`, read],
    ['the broken bcrypt of 2011', `$2x$05$${BCRYPT_TAIL}`, read],
    ['bcrypt that takes two seconds', `$2b$15$${BCRYPT_TAIL}`, use],
    ['bcrypt that takes a day', `$2y$31$${BCRYPT_TAIL}`, use],
    ['bcrypt below its least cost', `$2b$03$${BCRYPT_TAIL}`, use],
    ['MD5 of htpasswd', '$apr1$abcdefgh$0123456789012345678901', read],
    ['a gigabyte of memory', `$scrypt$ln=20,r=8,p=1$${SALT}$${HASH}`, use],
    ['no cost at all', `$scrypt$ln=0,r=8,p=1$${SALT}$${HASH}`, use],
    ['a hundred lanes', `$scrypt$ln=4,r=8,p=100$${SALT}$${HASH}`, use],
    ['a short hash', `$scrypt$ln=4,r=8,p=1$${SALT}$AAAA`, read],
    ['a short salt', `$scrypt$ln=4,r=8,p=1$TmFDbA$${HASH}`, read],
  ])('refuses %s, and does not tell what it was given', (_, text, start) => {
    const message = expect.stringMatching(new RegExp(`^${start}`, 'u')) as string;
    expect(() => parsePasswordHash(text)).toThrow(expect.objectContaining({ message }));
    for (const secret of ['hunter2', BCRYPT_TAIL, HASH])
      expect(() => parsePasswordHash(text)).toThrow(
        expect.objectContaining({ message: expect.not.stringContaining(secret) }),
      );
  });
});

describe('verifyPassword()', () => {
  test.each([
    ['scrypt', scrypt],
    ['bcrypt', bcrypt],
  ])('knows under %s only the password itself, however its accents are written', async (_, hashOf) => {
    const hash = parsePasswordHash(await hashOf('caf\u00e9'));
    const given = ['caf\u00e9', 'cafe\u0301', 'cafe', ''];
    expect(await Promise.all(given.map((password) => verifyPassword(password, hash)))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  test('agrees with a vector of RFC 7914, section 12', async () => {
    const hash = Buffer.from(
      'fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640',
      'hex',
    );
    const vector = { kind: 'scrypt', ln: 10, r: 8, p: 16, salt: Buffer.from('NaCl'), hash } as const;
    await expect(verifyPassword('password', vector)).resolves.toBe(true);
  });

  test.each(['$2a$', '$2b$', '$2y$'])('agrees with the vectors of crypt_blowfish, written as %s', async (version) => {
    const hash = parsePasswordHash(`${version}05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK`);
    await expect(verifyPassword('U*U*', hash)).resolves.toBe(true);
    await expect(verifyPassword('U*U', hash)).resolves.toBe(false);
  });

  test('takes 72 bytes of bcrypt and refuses more, of which it would not see the rest', async () => {
    const longest = `${'ä'.repeat(35)}xy`;
    const [exact, longer] = [longest, `${longest}z`].map((password) => parsePasswordHash(bcrypt(password)));
    if (exact === undefined || longer === undefined) throw new Error('Two hashes were made');
    await expect(verifyPassword(longest, exact)).resolves.toBe(true);
    await expect(verifyPassword(`${longest}z`, exact)).resolves.toBe(false);
    await expect(verifyPassword(`${longest}z`, longer)).resolves.toBe(false);
  });

  test('leaves the event loop to the probes while bcrypt computes', async () => {
    const hash = parsePasswordHash(bcrypt('correct horse', 12));
    let isVerified: boolean | null = null;
    const verifying = verifyPassword('correct horse', hash).then((outcome) => (isVerified = outcome));
    let turns = 0;
    for (; isVerified === null; turns += 1) await setImmediate();
    await verifying;
    expect(isVerified).toBe(true);
    // bcryptjs on this thread would let others run about ten times.
    expect(turns).toBeGreaterThan(100);
  });
});

describe('hashPassword()', () => {
  test('salts each hash again', async () => {
    expect(await scrypt('same')).not.toBe(await scrypt('same'));
  });

  test('costs what the documentation says unless told otherwise', async () => {
    expect(await hashPassword('x')).toMatch(/^\$scrypt\$ln=15,r=8,p=3\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/u);
  });
});
