import { performance } from 'node:perf_hooks';
import { hashSync } from 'bcryptjs';
import { describe, expect, test } from 'vitest';
import { parsePasswordHash, type PasswordHash, verifyPassword } from '../../../src/web/password-hash.ts';

const CHEAPEST = 4;

function hashOf(password: string, cost = CHEAPEST): PasswordHash {
  return parsePasswordHash(hashSync(password, cost));
}

describe('a bcrypt hash', () => {
  test.each(['$2a$', '$2b$', '$2y$'])('agrees with the vectors of crypt_blowfish, written as %s', async (version) => {
    const hash = parsePasswordHash(`${version}05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK`);

    await expect(verifyPassword('U*U*', hash)).resolves.toBe(true);
    await expect(verifyPassword('U*U', hash)).resolves.toBe(false);
    await expect(verifyPassword('', hash)).resolves.toBe(false);
  });

  test('takes both ways to write an accented letter for the same password', async () => {
    await expect(verifyPassword('cafe\u0301', hashOf('caf\u00e9'))).resolves.toBe(true);
  });

  test('takes 72 bytes and refuses more, of which it would not see the rest', async () => {
    const longest = `${'ä'.repeat(35)}xy`;

    await expect(verifyPassword(longest, hashOf(longest))).resolves.toBe(true);
    await expect(verifyPassword(`${longest}z`, hashOf(longest))).resolves.toBe(false);
    await expect(verifyPassword(`${longest}z`, hashOf(`${longest}z`))).resolves.toBe(false);
  });

  test('leaves the event loop to the probes while it computes', async () => {
    const hash = hashOf('correct horse', 12);
    const before = performance.eventLoopUtilization();

    await expect(verifyPassword('correct horse', hash)).resolves.toBe(true);

    expect(performance.eventLoopUtilization(before).utilization).toBeLessThan(0.5);
  });
});
