/**
 * The origin of an https URL, where credentials may be sent to.
 * @throws {TypeError} for anything else
 */
export function httpsOrigin(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null || parsed.protocol !== 'https:')
    throw new TypeError(`Cannot use "${url}": expected a URL that begins with "https://"`);
  return parsed.origin;
}

/** `host:port` of a URL, for people; the text itself where it is none. */
export function endpointOf(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null) return url;
  return `${parsed.hostname}:${parsed.port === '' ? '443' : parsed.port}`;
}
