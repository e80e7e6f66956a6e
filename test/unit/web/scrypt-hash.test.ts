import { describe, expect, test } from 'vitest';
import { hashPassword, parsePasswordHash, verifyPassword } from '../../../src/web/password-hash.ts';

const CHEAP = { ln: 4, r: 8, p: 1 };

describe('hashPassword()', () => {
  test('makes a hash that only its own password opens', async () => {
    const hash = parsePasswordHash(await hashPassword('correct horse', CHEAP));

    await expect(verifyPassword('correct horse', hash)).resolves.toBe(true);
    await expect(verifyPassword('correct horsf', hash)).resolves.toBe(false);
    await expect(verifyPassword('', hash)).resolves.toBe(false);
  });

  test('salts each hash again', async () => {
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

describe('verifyPassword()', () => {
  test('agrees with a vector of RFC 7914, section 12', async () => {
    const hash = Buffer.from(
      'fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640',
      'hex',
    );

    // The RFC's salt is shorter than the minimum for a salt from a file.
    await expect(
      verifyPassword('password', { kind: 'scrypt', ln: 10, r: 8, p: 16, salt: Buffer.from('NaCl'), hash }),
    ).resolves.toBe(true);
    const text = `$scrypt$ln=10,r=8,p=16$TmFDbA$${hash.toString('base64').replace(/=+$/u, '')}`;
    expect(() => parsePasswordHash(text)).toThrow('Cannot read the password hash');
  });
});
