import * as z from 'zod';
import { expectedMessage } from '../../text/show.ts';
import { expected } from './values.ts';

const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|\[::1\]|localhost)$/u;

/**
 * An https origin, where credentials are sent to. A path is refused rather than ignored: the clients know the paths of
 * the products they speak to.
 */
export function httpsOrigin(example: string): z.ZodType<string> {
  const what = `a URL that begins with "https://" and has no path, such as "${example}"`;
  return checkedUrl(what, (url) => url.protocol === 'https:' && url.pathname === '/' && url.search === '');
}

/** An http or https URL, with or without path. */
export function webUrl(example: string): z.ZodType<string> {
  return checkedUrl(`a URL such as "${example}"`, (url) => url.protocol === 'https:' || url.protocol === 'http:');
}

/** Whether what is sent to this URL can be read on the way. */
export function isReadableOnTheWay(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && url.protocol === 'http:' && !LOOPBACK.test(url.hostname);
}

function checkedUrl(what: string, accepts: (url: URL) => boolean): z.ZodType<string> {
  return z
    .string(expected(what))
    .superRefine((text, context) => {
      const problem = urlProblem(text, what, accepts);
      if (problem !== null) context.addIssue({ code: 'custom', message: problem });
    })
    .transform((text) => (URL.parse(text)?.pathname === '/' ? text.replace(/\/$/u, '') : text))
    .meta({ title: 'URL' });
}

function urlProblem(text: string, what: string, accepts: (url: URL) => boolean): string | null {
  if (text.endsWith('/…')) return 'expected the whole URL: "…" stands where "config print" left out a secret';
  const url = URL.parse(text);
  if (url === null) return expectedMessage(what, text);
  // The text is not quoted: what stands before the @ is a secret.
  if (url.username !== '' || url.password !== '')
    return 'expected a URL without user and password in it: a secret does not stand in this file';
  return accepts(url) && url.hash === '' ? null : expectedMessage(what, text);
}
