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
 * An https origin to which credentials are sent. A path is rejected rather than ignored, because the clients use the
 * fixed paths of the products that they query.
 */
export function httpsOrigin(example: string): z.ZodType<string> {
  const what = `a URL that begins with "https://" and has no path, such as "${example}"`;
  return url(what, (read) => read.protocol === 'https:' && read.pathname === '/' && read.search === '');
}

/** An http or https URL with an optional path. */
export function webUrl(example: string): z.ZodType<string> {
  return url(`a URL such as "${example}"`, isOfWeb);
}

/**
 * A URL whose path is a secret, such as that of a webhook or a heartbeat service: anyone who knows it can post there.
 * Only its scheme and host are printed, which is enough to identify the service.
 */
export function secretUrl(example: string): z.ZodType<string> {
  return url(`a URL such as "${example}"`, isOfWeb, withoutPath).register(USES, { use: 'secret-url' });
}

/** Reports whether data sent to this URL can be read on the path. */
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
      // The text is not quoted, because the part before the @ is a secret.
      return read !== null && hasLogin(read)
        ? 'expected a URL without user and password in it: a secret does not stand in this file'
        : null;
    },
  });
}

function hasLogin({ username, password }: URL): boolean {
  return username !== '' || password !== '';
}

/** Matches the result of `withoutPath`. */
function isCut(text: string): boolean {
  return text.endsWith('/…');
}
