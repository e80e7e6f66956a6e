import { placeOf, type SecretReader, type SecretSource } from '../../system/secret.ts';

/** What a service is sent in addition to its own headers. */
export interface HeaderSources {
  readonly headers: SecretSource | null;
  /** Sent as `Authorization: Bearer`. */
  readonly token?: SecretSource | null;
}

interface SecretHeaders {
  /** Names are in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** To be removed from what the server replies. */
  readonly secrets: readonly string[];
}

/**
 * Reads headers such as `Authorization: Splunk TOKEN`, one per line. They are read for each request, so that a rotated
 * token is used.
 * @throws {Error} with the file and line, without any part of a value
 */
export async function readHeaders(
  { headers: source, token = null }: HeaderSources,
  readSecret: SecretReader,
): Promise<SecretHeaders> {
  if (source === null) return { headers: {}, secrets: [] };
  const headers = new Map<string, string>();
  for (const [index, line] of (await readSecret(source)).split('\n').entries()) {
    if (line.trim() === '') continue;
    const place = `${placeOf(source)}, line ${String(index + 1)}`;
    const [name, value] = headerIn(line, ':', `a line such as "Authorization: Bearer TOKEN" in ${place}`);
    if (token !== null && name === 'authorization')
      throw new Error(`Cannot use the headers: ${place} sets "Authorization", which is already set by the token`);
    if (headers.has(name)) throw new Error(`Cannot use the headers: ${place} repeats the header of an earlier line`);
    headers.set(name, value);
  }
  return { headers: Object.fromEntries(headers), secrets: [...headers.values()].flatMap(secretsIn) };
}

/** Headers of the connection (RFC 9110 §7.6.1) and of the body, and those that ftm-watch sets itself. */
const RESERVED: ReadonlySet<string> = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'webhook-id',
  'webhook-signature',
  'webhook-timestamp',
]);

/**
 * Returns the name in lower case, and the value.
 * @param expected says where the header is and what it should look like
 * @throws {Error} which contains no part of the text, except the name of a header that cannot be set
 */
export function headerIn(text: string, separator: string, expected: string): readonly [name: string, value: string] {
  const at = text.indexOf(separator);
  const [name, value] = [text.slice(0, at).trim().toLowerCase(), text.slice(at + 1).trim()];
  // Names are tokens (RFC 9110 §5.6.2), and values are field values (§5.5).
  if (at <= 0 || !/^[\w!#$%&'*+.^`|~-]+$/u.test(name) || !/^[\t\x20-\x7E\x80-\xFF]*$/u.test(value))
    throw new Error(`Cannot use the headers: expected ${expected}`);
  if (RESERVED.has(name))
    throw new Error(`Cannot use the headers: expected ${expected}, got "${name}", which cannot be set`);
  return [name, value];
}

/** Shorter words also occur in other contexts. */
const SHORTEST_PART = 8;

/**
 * A server can quote only a part of a value, such as the token in `Token token="…"` or the decoded login of `Basic …`
 * (RFC 7617).
 */
export function secretsIn(value: string): readonly string[] {
  const [scheme = '', ...words] = value.split(/[\s,;"]+/u);
  const login = scheme.toLowerCase() === 'basic' ? Buffer.from(words[0] ?? '', 'base64').toString('utf8') : '';
  const parts = [...words, ...words.map((word) => word.replace(/^[^=]*=/u, ''))];
  return [
    value,
    value.replace(/^\S+\s+/u, ''),
    login,
    login.replace(/^[^:]*:/u, ''),
    ...parts.filter(({ length }) => length >= SHORTEST_PART),
  ].filter((part) => part !== '');
}
