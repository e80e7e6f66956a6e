import type * as z from 'zod';
import { authority, type HostPort, isLoopbackUrl } from '../../core/addresses.ts';
import { type ListenAddress, parseHostPort, parseListenAddress, codedText, USES } from './section.ts';
import { withoutPath } from '../../text/mask.ts';

export function hostPort(defaultPort: number): z.ZodType<HostPort> {
  return codedText({
    title: 'host:port',
    expected: `a host with or without port, such as "www.example.org:${String(defaultPort)}"`,
    parse: (value) => parseHostPort(value, defaultPort),
    format: authority,
  });
}

export const listenAddress: z.ZodType<ListenAddress> = codedText({
  title: 'address:port',
  expected: 'an address and port to listen at, such as "127.0.0.1:9843"',
  parse: parseListenAddress,
  format: ({ address, port }) => authority({ host: address, port }),
});

/**
 * An https origin, where credentials are sent to. A path is refused rather than ignored: the clients know the paths of
 * the products they speak to.
 */
export function httpsOrigin(example: string): z.ZodType<string> {
  const what = `a URL that begins with "https://" and has no path, such as "${example}"`;
  return url(what, (read) => read.protocol === 'https:' && read.pathname === '/' && read.search === '');
}

/** An http or https URL, with or without path. */
export function webUrl(example: string): z.ZodType<string> {
  return url(`a URL such as "${example}"`, isOfWeb);
}

/**
 * A URL whose path is a secret, as those of web hooks and heartbeat services are: anyone who knows it may write there.
 * Printed are its scheme and host: they are enough to see where it leads.
 */
export function secretUrl(example: string): z.ZodType<string> {
  return url(`a URL such as "${example}"`, isOfWeb, withoutPath).register(USES, { use: 'secret-url' });
}

/** Whether what is sent to this URL can be read on the way. */
export function isReadableOnTheWay(text: string): boolean {
  return URL.parse(text)?.protocol === 'http:' && !isLoopbackUrl(text);
}

function isOfWeb({ protocol }: URL): boolean {
  return protocol === 'https:' || protocol === 'http:';
}

function url(what: string, accepts: (url: URL) => boolean, format = (text: string): string => text): z.ZodType<string> {
  return codedText({
    title: 'URL',
    expected: what,
    parse: (text) => {
      const read = URL.parse(text);
      if (read === null || hasLogin(read) || read.hash !== '' || isCut(text) || !accepts(read)) return null;
      return read.pathname === '/' ? text.replace(/\/$/u, '') : text;
    },
    format,
    problem: (text) => {
      if (isCut(text)) return 'expected the whole URL: "…" stands where "config print" left out a secret';
      const read = URL.parse(text);
      // The text is not quoted: what stands before the @ is a secret.
      return read !== null && hasLogin(read)
        ? 'expected a URL without user and password in it: a secret does not stand in this file'
        : null;
    },
  });
}

function hasLogin({ username, password }: URL): boolean {
  return username !== '' || password !== '';
}

/** As `withoutPath` leaves it. */
function isCut(text: string): boolean {
  return text.endsWith('/…');
}
