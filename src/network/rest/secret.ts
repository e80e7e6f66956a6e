import { readSecret, type SecretSource } from '../../system/secret.ts';
import type { ConnectorContext } from './context.ts';

/**
 * The secret as it is now. What could not stand in a header (a line break in the middle of a wrong file) is refused.
 * @throws {Error} never with a part of the value
 */
export async function secretOf(source: SecretSource, context: ConnectorContext): Promise<string> {
  const secret = await readSecret(source, context.env);
  if (!/[\p{Cc}]/u.test(secret)) return secret;
  const from = source.kind === 'file' ? `file "${source.path}"` : `environment variable "${source.name}"`;
  throw new Error(`Cannot use the secret in ${from}: expected one line, got control characters`);
}
