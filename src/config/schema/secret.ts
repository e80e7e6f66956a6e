import type { Fields } from '../../core/fields.ts';
import { isIP } from 'node:net';
import * as z from 'zod';
import type { SecretSource } from '../../system/secret.ts';
import {
  given,
  hasSecret,
  type Report,
  type Rule,
  type SecretField,
  USES,
  type Use,
  expected,
  optional,
  requireLogin,
  section,
  choice,
  host,
  port,
  text,
  parseHostPort,
  parsedText,
  textAt,
  unique,
  filledList,
} from './section.ts';
import { isReadableOnTheWay, secretUrl } from './endpoints.ts';
import { expectedMessage, showKind } from '../../text/show.ts';
import type { HostPort } from '../../core/addresses.ts';

/** `what` names the secret in messages, and `ofFile` describes the key for its file. */
export function secret(what: string, ofFile: string): SecretField<SecretSource> {
  return {
    ...optionalSecret(what, ofFile),
    rule: (name) => (fields, report) => {
      oneAtMost(name)(fields, report);
      if (!hasSecret(name, fields)) report(null, `expected "${name}File" or "${name}Env", but both are missing`);
    },
    sourceIn: (name, fields) => {
      const source = sourceIn(name, fields);
      if (source === null)
        throw new TypeError(`The source of "${name}" is unknown, because the section was not validated`);
      return source;
    },
  };
}

export function optionalSecret(what: string, ofFile: string): SecretField<SecretSource | null> {
  return {
    keys: (name) => [
      [`${name}File`, secretFile.optional().describe(ofFile)],
      [
        `${name}Env`,
        secretVariable.optional().describe(`Environment variable to read the ${what} from, instead of a file.`),
      ],
    ],
    rule: oneAtMost,
    sourceIn,
  };
}

/** Headers with credentials, for services that do not accept a token as `Authorization: Bearer`. */
export const secretHeaders = optionalSecret(
  'headers',
  'Reads HTTP headers from this file, one per line, such as "Authorization: Bearer TOKEN". Requires HTTPS.',
);

/** For sections with a `url` and a token or headers. */
export function secretsNeedHttps(fields: Fields, report: Report): void {
  const { url } = fields;
  const sent = (['token', 'headers'] as const).find((name) => hasSecret(name, fields));
  if (sent !== undefined && typeof url === 'string' && isReadableOnTheWay(url)) report('url', inClear(sent));
}

export function inClear(sent: 'token' | 'headers'): string {
  return `expected a URL that begins with "https://", because the ${sent} would otherwise be sent unencrypted`;
}

function oneAtMost(name: string): Rule {
  return (fields, report) => {
    if (given(fields, `${name}File`) && given(fields, `${name}Env`))
      report(`${name}Env`, `expected only one of "${name}File" and "${name}Env"`);
  };
}

function sourceIn(name: string, fields: Fields): SecretSource | null {
  const path = fields[`${name}File`];
  const variable = fields[`${name}Env`];
  if (typeof path === 'string') return { kind: 'file', path };
  return typeof variable === 'string' ? { kind: 'env', name: variable } : null;
}

/** The URL itself, or the file or variable from which it is read for each use. */
export type SecretUrl = string | SecretSource;

/** Exactly one of the keys in `secretUrlKeys` must be set. `what` is a sentence that describes the URL's purpose. */
export function secretUrlField(what: string, example: string): SecretField<SecretUrl> {
  const elsewhere = secret('URL', 'Reads the URL from this file.');
  return {
    keys: (name) => [
      [name, secretUrl(example).optional().describe(`${what} If the URL is secret, use urlFile.`)],
      ...elsewhere.keys(name),
    ],
    rule: (name) => (fields, report) => {
      const keys = secretUrlKeys(name).map((key) => `"${key}"`);
      if (hasSecret(name, fields)) {
        elsewhere.rule(name)(fields, report);
        if (given(fields, name)) report(name, `expected only one of ${keys.join(', ')}`);
      } else if (!given(fields, name)) report(null, `expected one of ${keys.join(', ')}, but all of them are missing`);
    },
    sourceIn: (name, fields) => {
      const url = fields[name];
      return typeof url === 'string' ? url : elsewhere.sourceIn(name, fields);
    },
  };
}

export function secretUrlKeys(name: string): readonly string[] {
  return [name, `${name}File`, `${name}Env`];
}

const FILE = 'the name of a file';
const VARIABLE = hidden('the name of an environment variable in capitals, such as "FTM_WATCH_PASSWORD"');

/** Must be readable when the configuration is loaded. */
export const readableFile: z.ZodType<string> = file('file', 'file-to-read', expected(FILE));

export const certificatesFile: z.ZodType<string> = file('file', 'authority-file', expected(FILE));

/** May be created or changed after the configuration has been loaded. */
export const laterFile: z.ZodType<string> = file('file', 'file-for-later', expected(FILE));

const secretFile: z.ZodType<string> = file('file with a secret', 'secret-file', hidden(FILE)).refine(
  (text) => !isUrl(text),
  `expected ${FILE}, got a URL`,
);

/** A URL in the place of a file name is probably the secret itself, so it must not be quoted in a message. */
export function isUrl(text: string): boolean {
  return text.includes('://');
}

/** Only upper-case names are accepted, so that a password entered here by mistake is rejected and never quoted. */
export const secretVariable: z.ZodType<string> = z
  .string(VARIABLE)
  .regex(/^[A-Z][A-Z0-9_]{0,127}$/u, VARIABLE)
  .meta({ title: 'environment variable' })
  .register(USES, { use: 'secret-variable' });

export const authorityFile: z.ZodType<string | null> = optional(certificatesFile).describe(
  "Authority that signed the server's certificate, in PEM format. By default, public authorities are trusted.",
);

interface Wording {
  readonly error: (issue: { readonly input?: unknown }) => string;
}

function file(title: string, use: Use, wording: Wording): z.ZodType<string> {
  return z.string(wording).min(1, wording).meta({ title }).register(USES, { use });
}

function hidden(what: string): Wording {
  return { error: ({ input }) => expectedMessage(what, input, showKind) };
}

const SMTP_PORT = 25;
/** RFC 8314 §7.3 */
const SUBMISSIONS_PORT = 465;

const security = choice('starttls', 'tls', 'none');

export const relayShape = {
  host: host.describe('Host name or address of the mail server.'),
  port: port
    .meta({ default: SMTP_PORT })
    .optional()
    .describe('TCP port of the mail server. The default is 465 if `security` is "tls".'),
  security: security
    .prefault('starttls')
    .describe(
      '"starttls" requires encryption after the greeting, "tls" encrypts the connection from the start, and "none" ' +
        'does not encrypt it.',
    ),
  user: optional(text).describe('User name for the login. If not set, ftm-watch does not log in.'),
  password: optionalSecret('password', "Reads the user's password from this file."),
  caFile: authorityFile,
} as const;

type MailSecurity = z.output<typeof security>;

export const mailRelay = z.lazy(() => section(relayShape, requireLogin).transform(withPort));

export function withPort<Relay extends { readonly port: number | undefined; readonly security: MailSecurity }>(
  relay: Relay,
): Relay & { readonly port: number } {
  return { ...relay, port: relay.port ?? (relay.security === 'tls' ? SUBMISSIONS_PORT : SMTP_PORT) };
}

const SCHEME = 'http://';

const proxyUrl: z.ZodType<HostPort> = parsedText({
  title: 'URL',
  expected: 'a URL with host and port, such as "http://10.0.0.8:3128"',
  parse: (value) =>
    value.startsWith(SCHEME) ? parseHostPort(value.slice(SCHEME.length).replace(/\/$/u, ''), null) : null,
  // The message does not quote the text, because the text contains a password.
  problem: (value) =>
    value.includes('@')
      ? 'expected a URL without a user name and password; use a section with "url", "user" and "passwordFile"'
      : null,
});

const proxySection = section(
  {
    url: proxyUrl.describe('URL of the proxy, with "http://", a host and a port.'),
    user: optional(text).describe('User name for the proxy.'),
    password: optionalSecret('password', "Reads the user's password from this file."),
  },
  requireLogin,
);

export interface ProxyConfig extends HostPort, Omit<z.output<typeof proxySection>, 'url'> {}

export const proxy: z.ZodType<ProxyConfig> = z.union(
  [
    proxyUrl.transform((target) => ({ ...target, user: null, password: null })),
    proxySection.transform(({ url, ...login }) => ({ ...url, ...login })),
  ],
  expected('a URL such as "http://10.0.0.8:3128", or a section with "url", "user" and "passwordFile"'),
);

/** `label` is the text from the configuration file. */
export type ResolverConfig =
  | { readonly kind: 'system'; readonly label: 'system' }
  | { readonly kind: 'udp' | 'tcp' | 'tls'; readonly label: string; readonly host: string; readonly port: number }
  | { readonly kind: 'https'; readonly label: string; readonly url: string };

const resolver: z.ZodType<ResolverConfig> = parsedText({
  title: 'resolver',
  expected: '"system", an address (not a name), or a URL that begins with udp://, tcp://, tls:// or https://',
  parse: parseResolver,
});

export const resolvers = unique(filledList(resolver, 'resolver, such as "system"'), (item) =>
  textAt('label')(item).map(({ label }) => ({ label, path: [] })),
);

const DNS_PORT = 53;
/** RFC 7858 §3.1 */
const DNS_OVER_TLS_PORT = 853;

type SocketKind = 'udp' | 'tcp' | 'tls';

const SOCKET_KINDS: readonly SocketKind[] = ['udp', 'tcp', 'tls'];

/** UDP and TCP resolvers must be addresses, because resolving their names would require another resolver. */
function parseResolver(text: string): ResolverConfig | null {
  if (text === 'system') return { kind: 'system', label: 'system' };
  if (text.startsWith('https://')) return isResolverUrl(text) ? { kind: 'https', label: text, url: text } : null;
  const kind = SOCKET_KINDS.find((scheme) => text.startsWith(`${scheme}://`));
  if (kind === undefined) return overSocket('udp', text, text);
  return overSocket(kind, text, text.slice(`${kind}://`.length).replace(/\/$/u, ''));
}

function overSocket(kind: SocketKind, label: string, endpoint: string): ResolverConfig | null {
  const target = parseHostPort(endpoint, kind === 'tls' ? DNS_OVER_TLS_PORT : DNS_PORT);
  if (target === null || (kind !== 'tls' && isIP(target.host) === 0)) return null;
  return { kind, label, host: target.host, port: target.port };
}

function isResolverUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && url.username === '' && url.password === '' && url.hash === '';
}
