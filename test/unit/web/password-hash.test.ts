import { describe, expect, test } from 'vitest';
import { decoyHash, hashPassword, parsePasswordHash, verifyPassword } from '../../../src/web/password-hash.ts';

const CHEAP = { ln: 4, r: 8, p: 1 };
const SALT = 'c29tZXNhbHRzb21lc2FsdA';
const HASH = 'A'.repeat(43);

describe('hashPassword()', () => {
  test('makes a hash that only its own password opens', async () => {
    const hash = parsePasswordHash(await hashPassword('correct horse', CHEAP));

    await expect(verifyPassword('correct horse', hash)).resolves.toBe(true);
    await expect(verifyPassword('correct horsf', hash)).resolves.toBe(false);
    await expect(verifyPassword('', hash)).resolves.toBe(false);
  });

  test('salts each hash anew', async () => {
    expect(await hashPassword('same', CHEAP)).not.toBe(await hashPassword('same', CHEAP));
  });

  test('takes both ways to write an accented letter for the same password', async () => {
    const hash = parsePasswordHash(await hashPassword('caf\u00e9', CHEAP));

    await expect(verifyPassword('cafe\u0301', hash)).resolves.toBe(true);
  });

  test('costs what the documentation says unless told otherwise', async () => {
    expect(await hashPassword('x')).toMatch(/^\$scrypt\$ln=15,r=8,p=3\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/u);
  });
});

describe('parsePasswordHash()', () => {
  test('reads a vector of RFC 7914, section 12', async () => {
    const key = Buffer.from(
      'fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640',
      'hex',
    );
    // The RFC's salt "NaCl" is shorter than the eight bytes that are asked for here.
    expect(() => parsePasswordHash(`$scrypt$ln=10,r=8,p=16$TmFDbA$${key.toString('base64').replace(/=+$/u, '')}`)).toThrow(RangeError);
    await expect(verifyPassword('password', { ln: 10, r: 8, p: 16, salt: Buffer.from('NaCl'), hash: key })).resolves.toBe(true);
  });

  test.each([
    ['nothing', '', 'Cannot read the password hash: expected'],
    ['a plain password', 'hunter2', 'Cannot read the password hash: expected'],
    ['bcrypt', '$2b$12$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234', 'Cannot use a bcrypt password hash'],
    ['a gigabyte of memory', `$scrypt$ln=20,r=8,p=1$${SALT}$${HASH}`, 'got ln=20,r=8,p=1'],
    ['no cost at all', `$scrypt$ln=0,r=8,p=1$${SALT}$${HASH}`, 'got ln=0,r=8,p=1'],
    ['a hundred lanes', `$scrypt$ln=4,r=8,p=100$${SALT}$${HASH}`, 'got ln=4,r=8,p=100'],
    ['a short hash', `$scrypt$ln=4,r=8,p=1$${SALT}$AAAA`, 'Cannot read the password hash: expected'],
  ])('refuses %s', (_, text, message) => {
    expect(() => parsePasswordHash(text)).toThrow(message);
  });

  test('never tells what it was given', () => {
    expect(() => parsePasswordHash('hunter2')).toThrow(expect.objectContaining({ message: expect.not.stringContaining('hunter2') }));
  });
});

describe('decoyHash()', () => {
  test('costs what its model costs, and nobody knows its password', async () => {
    const decoy = decoyHash(CHEAP);

    expect(decoy).toMatchObject(CHEAP);
    await expect(verifyPassword('', decoy)).resolves.toBe(false);
  });
});
