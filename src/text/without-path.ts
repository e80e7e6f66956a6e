/**
 * A URL whose path may be a secret, as those of web hooks and heartbeat services are: anyone who knows it may write
 * there. Scheme and host are enough to see where it leads.
 */
export function withoutPath(text: string): string {
  const url = URL.parse(text);
  if (url === null) return '…';
  return url.pathname === '/' && url.search === '' ? url.origin : `${url.origin}/…`;
}
