import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import * as z from 'zod';
import type { EpochMs, Millis } from '../../core/clock.ts';
import { DURATION_PATTERN, formatDuration, parseDuration } from '../../core/duration.ts';
import { dayText } from '../../core/instant-text.ts';
import { expectedMessage } from '../../text/show.ts';
import { isCronOfMinutes, isCronWithSeconds } from './cron.ts';
import { isHost } from './host-port.ts';

/** The `error` option of a zod schema or check that words every failure as `expected …, got …`. */
export function expected(what: string): { readonly error: (issue: { readonly input?: unknown }) => string } {
  return { error: (issue) => expectedMessage(what, issue.input) };
}

/** The same of values that are written without quotes: a number or a word that stands in quotes is named as the mistake. */
export function unquoted(what: string, isMeant: (text: string) => boolean): ReturnType<typeof expected> {
  return {
    error: ({ input }) =>
      expectedMessage(what, input) +
      (typeof input === 'string' && isMeant(input.trim()) ? ': write it without quotes' : ''),
  };
}

/** A text that stands for something: read by `parse`, printed by `format`. */
interface Code<T> {
  /** Names the type in the JSON Schema and in docs/configuration.md. */
  readonly title: string;
  readonly expected: string;
  readonly pattern?: RegExp;
  readonly parse: (text: string) => T | null;
  readonly format: (value: T) => string;
  /** What is wrong with a text that `parse` refuses, where more can be said. */
  readonly problem?: (text: string) => string | null;
}

export function codedText<T>({ title, expected: what, pattern, parse, format, problem }: Code<T>): z.ZodType<T> {
  const text = z.string(expected(what));
  return z
    .codec(pattern === undefined ? text : text.regex(pattern, expected(what)), z.custom<T>(), {
      decode: (written, { issues }) => {
        const value = parse(written);
        if (value !== null) return value;
        issues.push({ code: 'custom', input: written, message: problem?.(written) ?? expectedMessage(what, written) });
        return z.NEVER;
      },
      encode: format,
    })
    .meta({ title });
}

/** A text that stays what it is. */
function plainText(title: string, what: string, accepts: RegExp | ((text: string) => boolean)): z.ZodType<string> {
  const text = z.string(expected(what));
  const checked =
    accepts instanceof RegExp ? text.regex(accepts, expected(what)) : text.refine(accepts, expected(what));
  return checked.meta({ title });
}

const CONTROL = /\p{Cc}/u;
const NAME = /^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,63}$/u;
const MAIL_ADDRESS = /^[^\s@<>,;"]{1,64}@[^\s@<>,;"]{1,253}$/u;
const NAMED_MAIL_ADDRESS = /^(?:[^<>\p{Cc}]{0,100}<([^<>]+)>|([^<>]+))$/u;
const ZONE_OFFSET = /^[+-]/u;

const LINE = 'a text of one line';

/** Any text of one line. */
export const text: z.ZodType<string> = z
  .string({
    error: ({ input }) =>
      expectedMessage(LINE, input) +
      (typeof input === 'number' || typeof input === 'boolean' ? ': put it in quotes' : ''),
  })
  .min(1, expected('a text that is not empty'))
  .max(255, expected('a text of at most 255 characters'))
  .refine((value) => !CONTROL.test(value), expected(LINE))
  .meta({ title: 'text' });

export const name: z.ZodType<string> = plainText(
  'name',
  'a name of letters, digits, spaces and "._-", at most 64 of them (a number in quotes)',
  (value) => NAME.test(value),
);

export const host: z.ZodType<string> = plainText('host', 'a host name or an address', isHost);

export const hostName: z.ZodType<string> = plainText(
  'host name',
  'a host name',
  (value) => isHost(value) && isIP(value) === 0,
);

/** Host names are the same in any case. */
export const lowerHostName: z.ZodType<string> = z.codec(hostName, z.string(), {
  decode: (given) => given.toLowerCase(),
  encode: (lower) => lower,
});

export const address: z.ZodType<string> = plainText('address', 'an IPv4 or IPv6 address', (value) => isIP(value) !== 0);

export const addressBlock: z.ZodType<string> = plainText(
  'address or CIDR block',
  'an address or a CIDR block such as "173.243.138.0/24"',
  (value) => isIP(value) !== 0 || (isIP(value.replace(/\/\d+$/u, '')) !== 0 && ipaddr.isValidCIDR(value)),
);

export const urlPath: z.ZodType<string> = plainText('path', 'a path that begins with "/"', /^\/[!-~]{0,500}$/u);

/** SHA-256 of a SubjectPublicKeyInfo in base64, as RFC 7469 §2.4 writes pins. */
export const pin: z.ZodType<string> = plainText(
  'pin',
  'a pin: "sha256/" and 44 characters of base64',
  /^sha256\/[A-Za-z0-9+/]{43}=$/u,
);

/** Serial and licence numbers are typed in any case, and mean the capitals that are printed. */
export const serial: z.ZodType<string> = z.codec(
  plainText(
    'serial number',
    'a serial number of 4 to 40 letters and digits, such as "FACVM0000000001"',
    /^[A-Za-z0-9_-]{4,40}$/u,
  ),
  z.string(),
  { decode: (given) => given.toUpperCase(), encode: (capitals) => capitals },
);

export const flag: z.ZodType<boolean> = z
  .boolean(unquoted('true or false', (value) => value === 'true' || value === 'false'))
  .meta({ title: 'true or false' });

export const mailAddress: z.ZodType<string> = plainText(
  'mail address',
  'a mail address such as "admins@example.org"',
  (value) => MAIL_ADDRESS.test(value),
);

/** Also with a name for people: `FTM watch <ftm-watch@example.org>`. */
export const namedMailAddress: z.ZodType<string> = plainText(
  'mail address',
  'a mail address such as "ftm-watch@example.org" or "FTM watch <ftm-watch@example.org>"',
  (value) => {
    const match = NAMED_MAIL_ADDRESS.exec(value);
    return MAIL_ADDRESS.test(match?.[1] ?? match?.[2] ?? '');
  },
);

export function duration(longest: Millis): z.ZodType<Millis> {
  return codedText({
    title: 'duration',
    expected: `a duration such as "90s", "15m", "4h" or "7d", at most "${formatDuration(longest)}"`,
    parse: (value) => {
      const parsed = parseDuration(value);
      return parsed !== null && parsed <= longest ? parsed : null;
    },
    format: formatDuration,
    pattern: DURATION_PATTERN,
  });
}

/** A day, as the instant at which it begins in UTC. */
export const day: z.ZodType<EpochMs> = codedText({
  title: 'date',
  expected: 'a date such as "2027-03-31"',
  pattern: /^\d{4}-\d{2}-\d{2}$/u,
  parse: (value) => {
    const at = Date.parse(value);
    return dayText(at) === value ? at : null;
  },
  format: dayText,
});

export const cronWithSeconds: z.ZodType<string> = plainText(
  'cron expression',
  'a cron expression of six fields that begins with the seconds, such as "*/30 * * * * *"',
  isCronWithSeconds,
);

export const cron: z.ZodType<string> = plainText(
  'cron expression',
  'a cron expression of five fields, such as "0 2 * * 0"',
  isCronOfMinutes,
);

export const timezone: z.ZodType<string> = plainText(
  'time zone',
  'an IANA time zone such as "UTC" or "Europe/Berlin"',
  (zone) => {
    // The default: to ask for another loads what the runtime knows of languages, 1.5 MiB in 10 ms.
    if (zone === 'UTC') return true;
    if (ZONE_OFFSET.test(zone)) return false;
    try {
      return new Intl.DateTimeFormat('en', { timeZone: zone }) instanceof Intl.DateTimeFormat;
    } catch {
      return false;
    }
  },
);

export function integer(least: number, most: number, what: string): z.ZodType<number> {
  const isMeant = (value: string): boolean => /^\d+$/u.test(value) && Number(value) >= least && Number(value) <= most;
  const range = unquoted(`${what} between ${String(least)} and ${String(most)}`, isMeant);
  return z.int(range).min(least, range).max(most, range).meta({ title: 'whole number' });
}

export const port: z.ZodType<number> = integer(1, 65_535, 'a port').meta({ title: 'port' });

const SHARE = unquoted('a share between 0 and 1, such as 0.1 for ten per cent', (value) =>
  /^(?:0?\.\d+|[01])$/u.test(value),
);

export const share: z.ZodType<number> = z.number(SHARE).min(0, SHARE).max(1, SHARE).meta({ title: 'share' });

export function choice<const T extends string>(...options: readonly [T, ...(readonly T[])]): z.ZodType<T> {
  const list = options.map((option) => `"${option}"`).join(', ');
  return z.enum(options, expected(`one of ${list}`));
}
