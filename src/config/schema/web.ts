import type * as z from 'zod';
import { hostPort, listenAddress, webUrl } from './endpoints.ts';
import { readableFile, optionalSecret, secret, laterFile } from './secret.ts';
import {
  type SectionFields,
  fieldsOf,
  given,
  hasSecret,
  itemsOf,
  type Report,
  textAt,
  unique,
  list,
  optional,
  section,
  choice,
  flag,
  lowerHostName,
  name,
  text,
  duration,
} from './section.ts';

const HTTPS_PORT = 443;

/** `metrics` can read /metrics, /probe and /sd; `read` everything; `change` can also create silences and reload. */
const ROLES = ['metrics', 'read', 'change'] as const;
export type Role = (typeof ROLES)[number];

const role = choice(...ROLES);
const WHAT_ROLES_MAY =
  '"metrics" reads /metrics, /probe and /sd, "read" everything, "change" may also silence and reload.';

const tls = section({
  certFile: readableFile.describe('PEM file of the certificate, with its chain.'),
  keyFile: readableFile.describe('PEM file of its private key.'),
  clientCaFile: optional(readableFile).describe(
    'PEM file of the authorities of client certificates, for `certificates` and `proxy`.',
  ),
  clientCrlFile: optional(readableFile).describe(
    'PEM file with certificate revocation lists, one for each authority in a chain.',
  ),
});

const user = section({
  name: name.describe('User name.'),
  passwordHash: secret('hash', 'File with the scrypt or bcrypt hash of the password, made as docs/web.md says.'),
  role: role.prefault('change').describe(`What the user may do: ${WHAT_ROLES_MAY}`),
});

const token = section({
  name: name.describe('Name in messages and the audit trail.'),
  token: secret('token', 'File with the token.'),
  role: role.prefault('read').describe('Role, as for users.'),
});

const certificate = section({
  name: text.describe('Common name or DNS name in the certificate.'),
  role: role.prefault('read').describe('Role, as for users.'),
});

const proxy = section(
  {
    userHeader: text.prefault('X-Forwarded-User').describe('Header with the user name.'),
    secret: optionalSecret('secret', 'File with a secret that the proxy sends in `secretHeader`.'),
    secretHeader: text.prefault('X-Proxy-Secret').describe("Header with the proxy's secret."),
    certificate: optional(text).describe(
      'Common name or DNS name in its client certificate. If a secret is set as well, both are required.',
    ),
    role: role.prefault('read').describe('Role of its users.'),
  },
  proxyProvesItself,
);

/** Every program on this machine, and everybody who sends requests through a proxy on it, can set a header. */
function proxyProvesItself(fields: SectionFields, report: Report): void {
  if (hasSecret('secret', fields) || given(fields, 'certificate')) return;
  report(null, 'expected "secretFile", "secretEnv" or "certificate": otherwise anybody can send the header');
}

export type WebConfig = z.output<typeof web>;

export const web = section(
  {
    listen: listenAddress
      .prefault('127.0.0.1:9843')
      .describe(
        'Address to listen on. By default only this machine can connect. Configure `tls` and `users` before you ' +
          'change it.',
      ),
    publicUrl: optional(webUrl('https://ftm.example.org/')).describe(
      'Address under which people open the page, including a path added by a proxy. Without it, messages have ' +
        'no links.',
    ),
    tls: optional(tls).describe('Serve https instead of http.'),
    users: unique(list(user), textAt('name')).describe(
      'Users (basic authentication). Without users, tokens, certificates and proxy, no login is required.',
    ),
    tokens: unique(list(token), textAt('name')).describe('Programs that send a token ("Authorization: Bearer").'),
    certificates: unique(list(certificate), textAt('name')).describe(
      'Programs that present a client certificate under `tls.clientCaFile`.',
    ),
    proxy: optional(proxy).describe(
      'A reverse proxy that logs people in. Its header counts only with its secret or client certificate.',
    ),
    anonymous: optional(choice('metrics', 'read')).describe(
      'Access without a login. "metrics": only /metrics. "read": reading without users is intentional; ' +
        'otherwise a warning is shown.',
    ),
    plaintext: flag
      .prefault(false)
      .describe(
        'Set to true if plain HTTP is intentional, for example behind a TLS proxy. Otherwise a warning is shown.',
      ),
    localReload: flag
      .prefault(false)
      .describe(
        'Set to true to allow `POST /-/reload` over loopback without an account. Everybody who reaches a reverse ' +
          'proxy or port forwarder on this machine can then reload.',
      ),
    hosts: list(lowerHostName).describe(
      'Host names that are accepted without users, in addition to addresses, localhost and names without a dot.',
    ),
    probeTargets: list(hostPort(HTTPS_PORT)).describe('Additional targets that /probe accepts.'),
  },
  certificatesNeedAuthorities,
);

function certificatesNeedAuthorities(fields: SectionFields, report: Report): void {
  if (given(fieldsOf(fields['tls']), 'clientCaFile')) return;
  const message = 'expected "tls.clientCaFile" beside it: nothing else tells whose certificate it is';
  if (given(fieldsOf(fields['tls']), 'clientCrlFile')) report(['tls', 'clientCrlFile'], message);
  if (itemsOf(fields['certificates']).length > 0) report('certificates', message);
  if (given(fieldsOf(fields['proxy']), 'certificate')) report(['proxy', 'certificate'], message);
}

const DAY = 86_400_000;

export const store = section({
  path: laterFile.prefault('data/ftm-watch.sqlite').describe('The SQLite database. Its folder must be writable.'),
  retention: duration(3650 * DAY)
    .prefault('90d')
    .describe('How long history is kept.'),
});
