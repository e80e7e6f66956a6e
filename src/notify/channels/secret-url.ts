import type { SecretUrl } from '../../config/schema/secret-url.ts';
import type { SecretReader } from '../../system/secret.ts';

/**
 * The URL itself, read at each use.
 * @throws {Error} when it cannot be read or is no URL of the web; never with a part of it
 */
export async function readSecretUrl(url: SecretUrl, readSecret: SecretReader): Promise<string> {
  if (typeof url === 'string') return url;
  const text = (await readSecret(url)).trim();
  if (!/^https?:$/u.test(URL.parse(text)?.protocol ?? ''))
    throw new Error(`Cannot use what ${placeOf(url)} holds: expected a URL that begins with "https://"`);
  return text;
}

/** Where it stands, for people and for the store. */
export function placeOf(source: Exclude<SecretUrl, string>): string {
  return source.kind === 'file' ? `file "${source.path}"` : `environment variable "${source.name}"`;
}

/** What of a URL is the secret: what follows the host, whole and without the query; nothing where there is nothing. */
export function secretPartsOf(url: string): readonly string[] {
  const { pathname, search } = new URL(url);
  return pathname === '/' && search === '' ? [] : [`${pathname}${search}`, ...(pathname === '/' ? [] : [pathname])];
}
