import { hashPassword } from '../web/scrypt-hash.ts';
import { EXIT_UNKNOWN } from './exit-code.ts';
import type { Terminal } from './terminal.ts';

/** Longer is a file that was piped in by mistake. */
const LONGEST_PASSWORD = 1024;

/** Prints the hash of the password on standard input, without its line break. Returns the exit code. */
export async function runHashPassword({ input, output, errors }: Terminal): Promise<number> {
  const chunks: Buffer[] = [];
  for await (const chunk of input) chunks.push(chunk);
  const password = Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/u, '');
  if (password === '' || password.length > LONGEST_PASSWORD) {
    errors.write(
      `Cannot hash the password: expected 1 to ${String(LONGEST_PASSWORD)} characters on standard input, got ` +
        `${String(password.length)}\n`,
    );
    return EXIT_UNKNOWN;
  }
  output.write(`${await hashPassword(password)}\n`);
  return 0;
}
