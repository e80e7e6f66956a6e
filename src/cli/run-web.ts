import { hashPassword } from '../web/password-hash.ts';
import type { Terminal } from './terminal.ts';

/** Longer input is probably a file that was piped in by mistake. */
const LONGEST_PASSWORD = 1024;

export async function runHashPassword({ askHidden, input, output }: Terminal): Promise<number> {
  const password = askHidden === null ? await readAll(input) : await askHidden('Password: ');
  if (askHidden !== null && password !== (await askHidden('Repeat the password: ')))
    throw new Error('Cannot hash the password: the two passwords do not match');
  if (password === '' || password.length > LONGEST_PASSWORD)
    throw new Error(
      `Cannot hash the password: expected 1 to ${String(LONGEST_PASSWORD)} characters on standard input, got ` +
        String(password.length),
    );
  // RFC 7617 §2. The password was probably written to the pipe twice.
  if (/\p{Cc}/u.test(password))
    throw new Error('Cannot hash the password: expected one line without control characters');
  output.write(`${await hashPassword(password)}\n`);
  return 0;
}

async function readAll(input: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of input) chunks.push(chunk);
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/u, '');
}
