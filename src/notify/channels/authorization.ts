import type { SecretReader, SecretSource } from '../../system/secret.ts';

/** What a service asks for, one at most: a login (RFC 7617) or a token (RFC 6750). */
export interface Credentials {
  readonly user: string | null;
  readonly password: SecretSource | null;
  readonly token: SecretSource | null;
}

export const TOKEN_IN_CLEAR = 'expected a URL that begins with "https://": the token would travel in clear';

export interface Authorization {
  /** The header `Authorization`; null without credentials. */
  readonly header: string | null;
  /** What must not come back from the peer into a message. */
  readonly secrets: readonly string[];
}

/** @throws {Error} when a secret cannot be read */
export async function authorizationOf(
  { user, password, token }: Credentials,
  readSecret: SecretReader,
): Promise<Authorization> {
  if (token !== null) {
    const secret = await readSecret(token);
    return { header: `Bearer ${secret}`, secrets: [secret] };
  }
  if (user === null || password === null) return { header: null, secrets: [] };
  const secret = await readSecret(password);
  const login = `${user}:${secret}`;
  return { header: `Basic ${Buffer.from(login, 'utf8').toString('base64')}`, secrets: [secret, login] };
}
