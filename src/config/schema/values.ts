import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import * as z from 'zod';
import type { Millis } from '../../core/clock.ts';
import { isCronOfMinutes, isCronWithSeconds } from '../cron.ts';
import { DURATION_PATTERN, formatDuration, parseDuration } from '../../core/duration.ts';
import { isHost } from '../host-port.ts';
import { expectedMessage } from '../../text/show.ts';

/** The `error` option of a zod schema or check that words every failure as `expected …, got …`. */
export function expected(what: string): { readonly error: (issue: { readonly input?: unknown }) => string } {
  return { error: (issue) => expectedMessage(what, issue.input) };
}

/** What a schema takes as text: `title` names the type in the JSON Schema and in docs/configuration.md. */
interface TextKind<T> {
  readonly title: string;
  readonly expected: string;
  readonly parse: (text: string) => T | null;
  readonly pattern?: RegExp;
}

export function parsedText<T>(kind: TextKind<T>): z.ZodType<T> {
  const { title, pattern } = kind;
  const raw = z.string(expected(kind.expected));
  const text = pattern === undefined ? raw : raw.regex(pattern, expected(kind.expected));
  return text
    .transform((value, context) => {
      const parsed = kind.parse(value);
      if (parsed !== null) return parsed;
      context.addIssue({ code: 'custom', message: expectedMessage(kind.expected, value) });
      return z.NEVER;
    })
    .meta({ title });
}

function when(condition: (text: string) => boolean): (text: string) => string | null {
  return (text) => (condition(text) ? text : null);
}

const CONTROL = /\p{Cc}/u;
const NAME = /^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,63}$/u;
const SERIAL = /^[A-Za-z0-9_-]{4,40}$/u;
const MAIL_ADDRESS = /^[^\s@<>,;"]{1,64}@[^\s@<>,;"]{1,253}$/u;
const NAMED_MAIL_ADDRESS = /^(?:[^<>\p{Cc}]{0,100}<([^<>]+)>|([^<>]+))$/u;
/** SHA-256 of a SubjectPublicKeyInfo in base64, as RFC 7469 §2.4 writes pins. */
const PIN = /^sha256\/[A-Za-z0-9+/]{43}=$/u;
const ZONE_OFFSET = /^[+-]/u;

/** Any text of one line. */
export function text(): z.ZodType<string> {
  const what = 'a text of one line';
  return z
    .string({
      error: ({ input }) =>
        expectedMessage(what, input) +
        (typeof input === 'number' || typeof input === 'boolean' ? ': put it in quotes' : ''),
    })
    .min(1, expected('a text that is not empty'))
    .max(255, expected('a text of at most 255 characters'))
    .refine((value) => !CONTROL.test(value), expected(what))
    .meta({ title: 'text' });
}

export function name(): z.ZodType<string> {
  return parsedText({
    title: 'name',
    expected: 'a name of letters, digits, spaces and "._-", at most 64 of them (a number in quotes)',
    parse: when((value) => NAME.test(value)),
  });
}

export function host(): z.ZodType<string> {
  return parsedText({ title: 'host', expected: 'a host name or an address', parse: when(isHost) });
}

export function hostName(): z.ZodType<string> {
  return parsedText({
    title: 'host name',
    expected: 'a host name',
    parse: when((value) => isHost(value) && isIP(value) === 0),
  });
}

export function address(): z.ZodType<string> {
  return parsedText({
    title: 'address',
    expected: 'an IPv4 or IPv6 address',
    parse: when((value) => isIP(value) !== 0),
  });
}

export function addressBlock(): z.ZodType<string> {
  return parsedText({
    title: 'address or CIDR block',
    expected: 'an address or a CIDR block such as "173.243.138.0/24"',
    parse: when(
      (value) => isIP(value) !== 0 || (isIP(value.replace(/\/\d+$/u, '')) !== 0 && ipaddr.isValidCIDR(value)),
    ),
  });
}

export function pin(): z.ZodType<string> {
  return parsedText({
    title: 'pin',
    expected: 'a pin: "sha256/" and 44 characters of base64',
    parse: when((value) => PIN.test(value)),
    pattern: PIN,
  });
}

export function serial(): z.ZodType<string> {
  return parsedText({
    title: 'serial number',
    expected: 'a serial number of 4 to 40 letters and digits, such as "FACVM0000000001"',
    parse: when((value) => SERIAL.test(value)),
    pattern: SERIAL,
  });
}

export function mailAddress(): z.ZodType<string> {
  return parsedText({
    title: 'mail address',
    expected: 'a mail address such as "admins@example.org"',
    parse: when((value) => MAIL_ADDRESS.test(value)),
  });
}

/** Also with a name for people: `FTM watch <ftm-watch@example.org>`. */
export function namedMailAddress(): z.ZodType<string> {
  return parsedText({
    title: 'mail address',
    expected: 'a mail address such as "ftm-watch@example.org" or "FTM watch <ftm-watch@example.org>"',
    parse: when((value) => {
      const match = NAMED_MAIL_ADDRESS.exec(value);
      return MAIL_ADDRESS.test(match?.[1] ?? match?.[2] ?? '');
    }),
  });
}

export function duration(longest: Millis): z.ZodType<Millis> {
  return parsedText({
    title: 'duration',
    expected: `a duration such as "90s", "15m", "4h" or "7d", at most "${formatDuration(longest)}"`,
    parse: (value) => {
      const parsed = parseDuration(value);
      return parsed !== null && parsed <= longest ? parsed : null;
    },
    pattern: DURATION_PATTERN,
  });
}

export function cronWithSeconds(): z.ZodType<string> {
  return parsedText({
    title: 'cron expression',
    expected: 'a cron expression of six fields that begins with the seconds, such as "*/30 * * * * *"',
    parse: when(isCronWithSeconds),
  });
}

export function cron(): z.ZodType<string> {
  return parsedText({
    title: 'cron expression',
    expected: 'a cron expression of five fields, such as "0 2 * * 0"',
    parse: when(isCronOfMinutes),
  });
}

export function timezone(): z.ZodType<string> {
  return parsedText({
    title: 'time zone',
    expected: 'an IANA time zone such as "UTC" or "Europe/Berlin"',
    parse: when(isTimezone),
  });
}

export function integer(least: number, most: number, what: string): z.ZodType<number> {
  const range = expected(`${what} between ${String(least)} and ${String(most)}`);
  return z.int(range).min(least, range).max(most, range).meta({ title: 'whole number' });
}

export function port(): z.ZodType<number> {
  return integer(1, 65_535, 'a port').meta({ title: 'port' });
}

export function share(): z.ZodType<number> {
  const range = expected('a share between 0 and 1, such as 0.1 for ten per cent');
  return z.number(range).min(0, range).max(1, range).meta({ title: 'share' });
}

export function choice<const T extends string>(...options: readonly [T, ...(readonly T[])]): z.ZodType<T> {
  const list = options.map((option) => `"${option}"`).join(', ');
  return z.enum(options, expected(`one of ${list}`));
}

function isTimezone(zone: string): boolean {
  if (ZONE_OFFSET.test(zone)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }) instanceof Intl.DateTimeFormat;
  } catch {
    return false;
  }
}
