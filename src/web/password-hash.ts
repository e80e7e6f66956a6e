import { type BcryptHash, parseBcryptHash, verifyBcrypt } from './bcrypt-hash.ts';
import { parseScryptHash, type ScryptHash, verifyScrypt } from './scrypt-hash.ts';

/** A password as it is stored. */
export type PasswordHash = ScryptHash | BcryptHash;

/**
 * Takes a hash apart.
 * @throws {RangeError} saying what is wrong with it, never with a part of it
 */
export function parsePasswordHash(text: string): PasswordHash {
  const line = text.trim();
  const parsed = parseScryptHash(line) ?? parseBcryptHash(line);
  if (parsed !== null) return parsed;
  throw new RangeError(
    `${unreadable(line)}: expected "$scrypt$ln=…,r=…,p=…$salt$hash" or "$2b$12$…", of a single password; make ` +
      'one as docs/web.md says',
  );
}

/** Takes the same time for every wrong password. */
export function verifyPassword(password: string, expected: PasswordHash): Promise<boolean> {
  switch (expected.kind) {
    case 'scrypt':
      return verifyScrypt(password, expected);
    case 'bcrypt':
      return verifyBcrypt(password, expected);
  }
}

/** What `htpasswd -n` prints has the name before the hash. */
function unreadable(line: string): string {
  return /^[^:$]*:\$/u.test(line)
    ? 'Cannot read the password hash with a name before it'
    : 'Cannot read the password hash';
}
