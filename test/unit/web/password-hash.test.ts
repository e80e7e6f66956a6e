import { describe, expect, test } from 'vitest';
import { parsePasswordHash, verifyPassword, hashPassword } from '../../../src/web/password-hash.ts';

const SALT = 'c29tZXNhbHRzb21lc2FsdA';
const HASH = 'A'.repeat(43);
const BCRYPT_TAIL = 'CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';

describe('parsePasswordHash()', () => {
  test.each([
    ['scrypt', `$scrypt$ln=4,r=8,p=1$${SALT}$${HASH}`],
    ['bcrypt', `$2y$05$${BCRYPT_TAIL}`],
  ])('takes %s', (kind, text) => {
    expect(parsePasswordHash(`${text}\n\n`)).toMatchObject({ kind });
  });

  test.each([
    ['nothing', '', 'Cannot read the password hash: expected "$scrypt$ln=…'],
    ['a plain password', 'hunter2', 'Cannot read the password hash: expected "$scrypt$ln=…'],
    [
      'the line of htpasswd with its name',
      `ops:$2y$05$${BCRYPT_TAIL}`,
      'Cannot read the password hash, because it is preceded by a name: expected',
    ],
    ['the hashes of two', `$2y$05$${BCRYPT_TAIL}\n$2y$05$${BCRYPT_TAIL}`, 'for a single password'],
    ['bcrypt cut short', `$2y$05$${BCRYPT_TAIL.slice(1)}`, 'Cannot read the password hash: expected'],
    ['the broken bcrypt of 2011', `$2x$05$${BCRYPT_TAIL}`, 'Cannot read the password hash: expected'],
    [
      'bcrypt that takes two seconds',
      `$2b$15$${BCRYPT_TAIL}`,
      'expected a bcrypt cost of 4 to 14, got 15. Create a hash with "htpasswd',
    ],
    ['bcrypt below its least cost', `$2b$03$${BCRYPT_TAIL}`, 'expected a bcrypt cost of 4 to 14, got 03'],
    ['MD5 of htpasswd', '$apr1$abcdefgh$0123456789012345678901', 'Cannot read the password hash: expected'],
    ['a gigabyte of memory', `$scrypt$ln=20,r=8,p=1$${SALT}$${HASH}`, 'got ln=20,r=8,p=1'],
    ['no cost at all', `$scrypt$ln=0,r=8,p=1$${SALT}$${HASH}`, 'got ln=0,r=8,p=1'],
    ['a hundred lanes', `$scrypt$ln=4,r=8,p=100$${SALT}$${HASH}`, 'got ln=4,r=8,p=100'],
    ['a short hash', `$scrypt$ln=4,r=8,p=1$${SALT}$AAAA`, 'Cannot read the password hash: expected'],
  ])('refuses %s', (_, text, message) => {
    expect(() => parsePasswordHash(text)).toThrow(message);
  });

  test.each(['hunter2', 'hunter2:$2y$05$x', `$2y$31$${BCRYPT_TAIL}`])('never tells what it was given: %s', (text) => {
    const secret = text.startsWith('$') ? BCRYPT_TAIL : 'hunter2';
    expect(() => parsePasswordHash(text)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining(secret) }),
    );
  });
});

describe('verifyPassword()', () => {
  test.each([
    ['scrypt', () => hashPassword('U*U', { ln: 4, r: 8, p: 1 })],
    ['bcrypt', () => `$2a$05$${BCRYPT_TAIL}`],
  ])('knows the right password under %s', async (_, make) => {
    const hash = parsePasswordHash(await make());

    await expect(verifyPassword('U*U', hash)).resolves.toBe(true);
    await expect(verifyPassword('U*U*', hash)).resolves.toBe(false);
  });
});
