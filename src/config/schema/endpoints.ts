import type * as z from 'zod';
import { type HostPort, isLoopbackUrl } from '../../core/addresses.ts';
import { expectedMessage, showKind, showValue } from '../../text/show.ts';
import { type ListenAddress, parseHostPort, parseListenAddress, parsedText, USES } from './section.ts';

export function hostPort(defaultPort: number): z.ZodType<HostPort> {
  return parsedText({
    title: 'host:port',
    expected: `a host, with or without a port, such as "www.example.org:${String(defaultPort)}"`,
    parse: (value) => parseHostPort(value, defaultPort),
  });
}

export const listenAddress: z.ZodType<ListenAddress> = parsedText({
  title: 'address:port',
  expected: 'an address and port to listen on, such as "127.0.0.1:9843"',
  parse: parseListenAddress,
});

/**
 * Used for origins to which credentials are sent. A path is rejected, because clients use the products' fixed API
 * paths.
 */
export function httpsOrigin(example: string): z.ZodType<string> {
  const what = `a URL that begins with "https://" and has no path, such as "${example}"`;
  return url(what, (read) => read.protocol === 'https:' && read.pathname === '/' && read.search === '');
}

export function webUrl(example: string): z.ZodType<string> {
  return url(`a URL such as "${example}"`, isOfWeb);
}

/** Used for URLs with a secret path, such as webhooks. Only the scheme and host of a valid URL are printed. */
export function secretUrl(example: string): z.ZodType<string> {
  return url(`a URL such as "${example}"`, isOfWeb, showKind).register(USES, { use: 'secret-url' });
}

/** Data that is sent to this URL is unencrypted. */
export function isReadableOnTheWay(text: string): boolean {
  return URL.parse(text)?.protocol === 'http:' && !isLoopbackUrl(text);
}

function isOfWeb({ protocol }: URL): boolean {
  return protocol === 'https:' || protocol === 'http:';
}

function url(what: string, accepts: (url: URL) => boolean, show = showValue): z.ZodType<string> {
  return parsedText({
    title: 'URL',
    expected: what,
    parse: (text) => {
      const read = URL.parse(text);
      if (read === null || hasLogin(read) || read.hash !== '' || isCut(text) || !accepts(read)) return null;
      return read.pathname === '/' ? text.replace(/\/$/u, '') : text;
    },
    problem: (text) => {
      if (isCut(text)) return 'expected the whole URL; "…" is where "config print" has removed a secret';
      const read = URL.parse(text);
      // The message does not quote the text, because the part before the @ contains the login.
      return read !== null && hasLogin(read)
        ? 'expected a URL without a user name and password, because secrets are not allowed in this file'
        : expectedMessage(what, text, show);
    },
  });
}

function hasLogin({ username, password }: URL): boolean {
  return username !== '' || password !== '';
}

/** `withoutPath` has shortened the text. */
function isCut(text: string): boolean {
  return text.endsWith('/…');
}
