import { isIP, isIPv6 } from 'node:net';
import * as z from 'zod';
import ipaddr from 'ipaddr.js';
import { CronPattern } from 'croner';
import { validate } from 'node-cron';
import { expectedMessage, showValue } from '../../text/show.ts';
import { type Fields, fieldsOf, isFields } from '../../core/fields.ts';
import type { YamlPath } from '../../text/yaml-text.ts';
import type { EpochMs, Millis } from '../../core/clock.ts';
import { DURATION_PATTERN, formatDuration, parseDuration, dayText } from '../../core/time-text.ts';
import { readCrontab } from '../../text/crontab.ts';
import type { HostPort } from '../../core/addresses.ts';

type Shape = Readonly<Record<string, z.ZodType | SecretField<unknown>>>;

type FieldOf<F extends Shape[string]> = F extends SecretField<infer Source> ? Source : z.output<F>;

/** `rule` checks combinations of keys, even if individual keys are invalid. */
export function section<const S extends Shape>(
  shape: S,
  rule?: Rule,
): z.ZodType<{ readonly [Key in keyof S]: FieldOf<S[Key]> }>;
export function section(shape: Shape, rule?: Rule): z.ZodType {
  const fields = Object.entries(shape).map(([name, field]) => ({ name, field }));
  const secrets = fields.flatMap(({ name, field }) => (field instanceof z.ZodType ? [] : [{ name, field }]));
  const written = z
    .strictObject(Object.fromEntries(fields.flatMap(({ name, field }) => keysOf(name, field))), {
      error: ({ code, input }) =>
        code === 'invalid_type' ? expectedMessage('a section (keys and values)', input) : undefined,
    })
    .superRefine(
      (value, context) => {
        for (const apply of [...secrets.map(({ name, field }) => field.rule(name)), rule]) {
          apply?.(fieldsOf(value), (at, message) => {
            context.addIssue({ code: 'custom', path: typeof at === 'string' ? [at] : [...(at ?? [])], message });
          });
        }
      },
      { when: ({ value }) => isFields(value) },
    );
  if (secrets.length === 0) return written;
  return written.transform((value) =>
    Object.fromEntries(
      fields.map(({ name, field }) => [name, field instanceof z.ZodType ? value[name] : field.sourceIn(name, value)]),
    ),
  );
}

/** A missing key is read as null. */
export function optional<T>(schema: z.ZodType<T>): z.ZodType<T | null> {
  return schema.optional().transform((given) => given ?? null);
}

/** A missing key is read as an empty list. With `z.lazy`, the schema of the items is built only if there are any. */
export function list<T>(item: z.ZodType<T>): z.ZodType<readonly T[]> {
  return z.array(item, expected('a list')).prefault([]);
}

/** A missing key is read as an empty list, and a single item as a list of one. */
export function listOrOne<T>(item: z.ZodType<T>): z.ZodType<readonly T[]> {
  const one = item.transform((only): readonly T[] => [only]);
  return z.union([z.array(item), one], expected('a section (keys and values), or a list of them')).prefault([]);
}

/** `what` names the items in messages. */
export function filledList<T>(item: z.ZodType<T>, what: string): z.ZodType<readonly T[]> {
  return z.array(item, expected('a list')).min(1, { error: `expected at least one ${what}` });
}

function keysOf(name: string, field: Shape[string]): readonly (readonly [key: string, schema: z.ZodType])[] {
  return field instanceof z.ZodType ? [[name, field]] : field.keys(name);
}

/** `at` is a key, the path of a nested key, or null for the section itself. */
export type Report = (at: string | readonly string[] | null, message: string) => void;

/** Also runs on a section with errors, with its valid part, so that all errors are reported together. */
export type Rule = (fields: Fields, report: Report) => void;

/** Identifies a list item. `path` is relative to the item. */
export interface Label {
  readonly label: string;
  readonly path: readonly (string | number)[];
}

type LabelsOf = (item: unknown) => readonly Label[];

/** `taken` returns the message for a label that the item at index `owner` already has. */
export function unique<S extends z.ZodType>(
  schema: S,
  labelsOf: LabelsOf,
  taken = (label: string, _owner: number): string => `${showValue(label)} is already in this list`,
): S {
  return schema.superRefine(
    (items, context) => {
      const owners = new Map<string, number>();
      for (const [index, item] of itemsOf(items).entries()) {
        for (const { label, path } of labelsOf(item)) {
          const owner = owners.get(label);
          if (owner !== undefined)
            context.addIssue({ code: 'custom', path: [index, ...path], message: taken(label, owner) });
          owners.set(label, owner ?? index);
        }
      }
    },
    { when: ({ value }) => Array.isArray(value) },
  );
}

export function textAt(key: string): LabelsOf {
  return (item) => {
    const label = fieldsOf(item)[key];
    return typeof label === 'string' ? [{ label, path: [key] }] : [];
  };
}

/** An item's `host:port`. */
export function endpoint(item: unknown): readonly Label[] {
  const { host, port } = fieldsOf(item);
  return typeof host === 'string' && typeof port === 'number'
    ? [{ label: `${host}:${String(port)}`, path: ['host'] }]
    : [];
}

export function requireLogin(fields: Fields, report: Report): void {
  const hasPassword = hasSecret('password', fields);
  if (given(fields, 'user') && !hasPassword)
    report('user', 'expected "passwordFile" or "passwordEnv" in addition to "user"');
  if (!given(fields, 'user') && hasPassword) report(null, 'expected "user" in addition to the password');
}

export function given(fields: Fields, key: string): boolean {
  return fields[key] !== undefined && fields[key] !== null;
}

export function hasSecret(name: string, fields: Fields): boolean {
  return given(fields, `${name}File`) || given(fields, `${name}Env`);
}

export function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Returns all types that a schema accepts, without wrapper schemas. */
export function alternatives(schema: z.core.$ZodType): readonly z.core.$ZodType[] {
  const inner = insideOf(schema);
  return inner.length === 0 ? [schema] : inner.flatMap(alternatives);
}

/** Returns the inner schemas, which accept the same values as the wrapper. */
function insideOf(schema: z.core.$ZodType): readonly z.core.$ZodType[] {
  if (schema instanceof z.ZodPipe) return [schema.in];
  if (schema instanceof z.ZodUnion) return schema.options;
  // `unwrap` would build it again.
  if (schema instanceof z.ZodLazy) return [schema._zod.innerType];
  const wraps = schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional || schema instanceof z.ZodNullable;
  return wraps ? [schema.unwrap()] : [];
}

/** Marks text that is secret or that refers to a file or variable. */
export type Use =
  | 'file-to-read'
  | 'authority-file'
  | 'file-for-later'
  | 'secret-file'
  | 'secret-variable'
  | 'secret-url';

export const USES = z.registry<{ readonly use: Use }>();

export interface UsedText {
  readonly use: Use;
  readonly text: string;
  /** Null for default values, which are not in the file. */
  readonly path: YamlPath | null;
}

type Change = (used: UsedText) => string;

export function usedTexts(schema: z.ZodType, value: unknown): readonly UsedText[] {
  const found: UsedText[] = [];
  changeTexts(schema, value, (used) => {
    found.push(used);
    return used.text;
  });
  return found;
}

/**
 * Fills in defaults and replaces all marked text with the result of `change`. Parts that do not match the schema are
 * not changed.
 */
export function changeTexts(schema: z.ZodType, value: unknown, change: Change): unknown {
  return changed(schema, value, [], { change, defaults: true });
}

/** Like {@link changeTexts}, but without defaults. */
export function changeGivenTexts(schema: z.ZodType, value: unknown, change: Change): unknown {
  return changed(schema, value, [], { change, defaults: false });
}

interface Changes {
  readonly change: Change;
  readonly defaults: boolean;
}

function changed(schema: z.core.$ZodType, value: unknown, path: YamlPath | null, how: Changes): unknown {
  const use = USES.get(schema)?.use;
  if (use !== undefined && typeof value === 'string') return how.change({ use, text: value, path });
  if (schema instanceof z.core.$ZodObject && isFields(value)) return changedSection(schema, value, path, how);
  if (schema instanceof z.core.$ZodArray && Array.isArray(value))
    return value.map((item, index) => changed(schema._zod.def.element, item, below(path, index), how));
  if (schema instanceof z.ZodPrefault && value === undefined) return defaultOf(schema, how);
  return insideOf(schema).reduce<unknown>((result, inner) => changed(inner, result, path, how), value);
}

function changedSection(schema: z.core.$ZodObject, value: Fields, path: YamlPath | null, how: Changes): unknown {
  const fields = Object.entries(schema._zod.def.shape).map(
    ([key, field]) => [key, changed(field, value[key], below(path, key), how)] as const,
  );
  const known = Object.fromEntries(fields.filter(([, child]) => child !== undefined));
  // The keys are in the order of the schema. Unknown keys are kept, so that validation reports them.
  return { ...known, ...value, ...known };
}

function below(path: YamlPath | null, key: string | number): YamlPath | null {
  return path && [...path, key];
}

function defaultOf(schema: z.ZodPrefault, how: Changes): unknown {
  return how.defaults ? changed(schema.unwrap(), schema.def.defaultValue, null, how) : undefined;
}

const SECONDS_TO_WEEKDAY = 6;

/**
 * Expressions with five fields are rejected, because their minutes would be interpreted as seconds. node-cron triggers
 * the rounds, and croner calculates times in other time zones. Only node-cron accepts `22-6`, `monday` and `L-3`.
 */
function isCronWithSeconds(expression: string): boolean {
  if (expression.trim().split(/\s+/u).length !== SECONDS_TO_WEEKDAY || !validate(expression)) return false;
  try {
    return new CronPattern(expression) instanceof CronPattern;
  } catch {
    return false;
  }
}

/** Accepts crontab(5) expressions with five fields and at least one future date. */
function isCronOfMinutes(expression: string): boolean {
  try {
    readCrontab(expression, 'UTC');
    return true;
  } catch {
    return false;
  }
}

export interface ListenAddress {
  readonly address: string;
  readonly port: number;
}

/** RFC 1123 labels. Underscores are also allowed, because many internal mail servers have them in their names. */
const HOST_NAME =
  /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/iu;
/** For example `10.0.0.300`, which is a mistyped address and cannot be a host name. */
const NUMERIC_END = /(?:^|\.)\d+$/u;
const BRACKETED = /^\[(?<host>[^\]]+)\](?::(?<port>\d{1,5}))?$/u;
const PLAIN = /^(?<host>[^:]+)(?::(?<port>\d{1,5}))?$/u;

const MAX_PORT = 65_535;

export function isHost(text: string): boolean {
  return isIP(text) !== 0 || (HOST_NAME.test(text) && !NUMERIC_END.test(text));
}

/**
 * Parses `host`, `host:port`, `[v6]:port` or an IPv6 address. Returns null if there is neither a port nor a default
 * port.
 */
export function parseHostPort(text: string, defaultPort: number | null): HostPort | null {
  const parts = splitPort(text);
  if (parts === null || !isHost(parts.host)) return null;
  const port = parts.port ?? defaultPort;
  return port === null || port < 1 || port > MAX_PORT ? null : { host: parts.host, port };
}

/** Port 0 selects any free port. */
export function parseListenAddress(text: string): ListenAddress | null {
  const parts = splitPort(text);
  if (parts === null || parts.port === null || parts.port > MAX_PORT) return null;
  return isIP(parts.host) !== 0 || parts.host === 'localhost' ? { address: parts.host, port: parts.port } : null;
}

function splitPort(text: string): { readonly host: string; readonly port: number | null } | null {
  if (isIPv6(text)) return { host: text, port: null };
  const groups = (BRACKETED.exec(text) ?? PLAIN.exec(text))?.groups;
  const host = groups?.['host'];
  if (host === undefined || (text.startsWith('[') && !isIPv6(host))) return null;
  const port = groups?.['port'];
  return { host, port: port === undefined ? null : Number(port) };
}

export function expected(what: string): { readonly error: (issue: { readonly input?: unknown }) => string } {
  return { error: (issue) => expectedMessage(what, issue.input) };
}

/** If quotes are the only problem with the value, the message says so. */
export function unquoted(what: string, isMeant: (text: string) => boolean): ReturnType<typeof expected> {
  return {
    error: ({ input }) =>
      expectedMessage(what, input) +
      (typeof input === 'string' && isMeant(input.trim()) ? ': write it without quotes' : ''),
  };
}

interface Parsed<T> {
  /** Name of the type in the JSON Schema and in docs/configuration.md. */
  readonly title: string;
  readonly expected: string;
  readonly pattern?: RegExp;
  readonly parse: (text: string) => T | null;
  /** A more specific message for text that `parse` rejects. */
  readonly problem?: (text: string) => string | null;
}

export function parsedText<T>({ title, expected: what, pattern, parse, problem }: Parsed<T>): z.ZodType<T> {
  const text = z.string(expected(what));
  return (pattern === undefined ? text : text.regex(pattern, expected(what)))
    .transform((written, { issues }) => {
      const value = parse(written);
      if (value !== null) return value;
      issues.push({ code: 'custom', input: written, message: problem?.(written) ?? expectedMessage(what, written) });
      return z.NEVER;
    })
    .meta({ title });
}

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

const LINE = 'a single line of text';

export const text: z.ZodType<string> = z
  .string({
    error: ({ input }) =>
      expectedMessage(LINE, input) +
      (typeof input === 'number' || typeof input === 'boolean' ? ': put it in quotes' : ''),
  })
  .min(1, expected('non-empty text'))
  .max(255, expected('text of at most 255 characters'))
  .refine((value) => !CONTROL.test(value), expected(LINE))
  .meta({ title: 'text' });

export const name: z.ZodType<string> = plainText(
  'name',
  'a name of up to 64 letters, digits, spaces and "._-" (if it is a number, in quotes)',
  (value) => NAME.test(value),
);

export const host: z.ZodType<string> = plainText('host', 'a host name or an address', isHost);

const hostName: z.ZodType<string> = plainText(
  'host name',
  'a host name',
  (value) => isHost(value) && isIP(value) === 0,
);

export const country: z.ZodType<string> = plainText(
  'country',
  'a country code with two capital letters, such as "DE"',
  /^[A-Z]{2}$/u,
);

export const lowerHostName: z.ZodType<string> = hostName.transform((given) => given.toLowerCase());

export const address: z.ZodType<string> = plainText('address', 'an IPv4 or IPv6 address', (value) => isIP(value) !== 0);

export const addressBlock: z.ZodType<string> = plainText(
  'address or CIDR block',
  'an address or a CIDR block such as "173.243.138.0/24"',
  isAddressBlock,
);

export const hostOrBlock: z.ZodType<string> = plainText(
  'host name, address or CIDR block',
  'a host name, an address or a CIDR block such as "10.0.0.0/24"',
  (value) => isHost(value) || isAddressBlock(value),
);

function isAddressBlock(value: string): boolean {
  return isIP(value) !== 0 || (isIP(value.replace(/\/\d+$/u, '')) !== 0 && ipaddr.isValidCIDR(value));
}

export const urlPath: z.ZodType<string> = plainText('path', 'a path that begins with "/"', /^\/[!-~]{0,500}$/u);

/** RFC 7469 §2.4 */
export const pin: z.ZodType<string> = plainText(
  'pin',
  'a pin that consists of "sha256/" and 44 base64 characters',
  /^sha256\/[A-Za-z0-9+/]{43}=$/u,
);

/** Accepted in lower or upper case. */
export const serial: z.ZodType<string> = plainText(
  'serial number',
  'a serial number of 4 to 40 letters and digits, such as "FACVM0000000001"',
  /^[A-Za-z0-9_-]{4,40}$/u,
).transform((given) => given.toUpperCase());

export const flag: z.ZodType<boolean> = z
  .boolean(unquoted('true or false', (value) => value === 'true' || value === 'false'))
  .meta({ title: 'true or false' });

export const mailAddress: z.ZodType<string> = plainText(
  'email address',
  'an email address such as "admins@example.org"',
  (value) => MAIL_ADDRESS.test(value),
);

/** With an optional display name, for example `FTM watch <ftm-watch@example.org>`. */
export const namedMailAddress: z.ZodType<string> = plainText(
  'email address',
  'an email address such as "ftm-watch@example.org" or "FTM watch <ftm-watch@example.org>"',
  (value) => {
    const match = NAMED_MAIL_ADDRESS.exec(value);
    return MAIL_ADDRESS.test(match?.[1] ?? match?.[2] ?? '');
  },
);

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

/** Parsed as the start of the day in UTC. */
export const day: z.ZodType<EpochMs> = parsedText({
  title: 'date',
  expected: 'a date such as "2027-03-31"',
  pattern: /^\d{4}-\d{2}-\d{2}$/u,
  parse: (value) => {
    const at = Date.parse(value);
    return dayText(at) === value ? at : null;
  },
});

const cronWithSeconds: z.ZodType<string> = plainText(
  'cron expression',
  'a cron expression of six fields, starting with the seconds, such as "*/30 * * * * *"',
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
    // Checking a time zone loads locale data, which costs 1.5 MiB and 10 ms.
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
  return z
    .int({ ...range, abort: true })
    .min(least, range)
    .max(most, range)
    .meta({ title: 'whole number' });
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

export const schedule = section({
  probes: cronWithSeconds
    .prefault('*/30 * * * * *')
    .describe('Probes of the path: name resolution, reachability, TLS, licence server, mail and clock.'),
  appliance: cronWithSeconds
    .prefault('0 */5 * * * *')
    .describe('Queries to the APIs of FortiAuthenticator and the firewalls.'),
  registration: cronWithSeconds
    .prefault('0 0 */6 * * *')
    .describe('Queries to the registration service. Licences rarely move, and the service limits requests.'),
  timezone: timezone.prefault('UTC').describe('Time zone of the cron expressions.'),
});

/** If undefined, the name of the target host is used. */
export const serverName: z.ZodType<string | null | undefined> = hostName.nullable().optional();

/** RFC 6066 §3 does not allow IP addresses. */
export function serverNameOf({
  host,
  serverName: given,
}: {
  readonly host: string;
  readonly serverName: string | null | undefined;
}): string | null {
  return given === undefined ? (isIP(host) === 0 ? host : null) : given;
}

/** Incidents below `warning` are never sent. */
export const minSeverity: z.ZodType<'critical' | 'warning'> = choice('critical', 'warning')
  .prefault('warning')
  .describe(
    'Minimum severity of incidents to send. Channels that were notified of an incident are also notified when it ends.',
  );

/**
 * The name of a recipient whose address is secret. The name appears in the log, on the status page and in the store.
 */
export const recipientName: z.ZodType<string> = name.describe(
  'Name of the recipient in the log and on the page. Undelivered messages are stored under this name.',
);

/** Set with the key `<name>File` or `<name>Env`. */
export interface SecretField<Source> {
  keys(name: string): readonly (readonly [key: string, schema: z.ZodType])[];
  rule(name: string): Rule;
  sourceIn(name: string, fields: Fields): Source;
}
