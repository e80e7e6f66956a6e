import { type Fields, fieldsOf } from '../../core/fields.ts';
import * as z from 'zod';
import { hostPort, listenAddress, webUrl } from './endpoints.ts';
import { readableFile, optionalSecret, secret, laterFile } from './secret.ts';
import {
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

const ROLES = ['metrics', 'read', 'change'] as const;
export type Role = (typeof ROLES)[number];

const role = choice(...ROLES);
const WHAT_ROLES_MAY =
  '"metrics" can read /metrics, /probe and /sd, "read" can read everything, and "change" can also silence and reload.';

const tls = section({
  certFile: readableFile.describe(
    'Certificate of the status page, followed by its intermediate certificates, in PEM format.',
  ),
  keyFile: readableFile.describe('Private key of the certificate, in PEM format.'),
  clientCaFile: optional(readableFile).describe(
    'Authorities that sign client certificates, in PEM format. Required for `certificates` and `proxy.certificate`.',
  ),
  clientCrlFile: optional(readableFile).describe(
    'Certificate revocation lists in PEM format, one for each authority in a chain.',
  ),
});

const user = z.lazy(() =>
  section({
    name: name.describe('User name.'),
    passwordHash: secret('hash', 'Reads the scrypt or bcrypt hash of the password from this file (docs/web.md).'),
    role: role.prefault('change').describe(`What the user is allowed to do. ${WHAT_ROLES_MAY}`),
  }),
);

const token = z.lazy(() =>
  section({
    name: name.describe('Name of the program in messages and in the audit trail.'),
    token: secret('token', 'Reads the token from this file.'),
    role: role.prefault('read').describe('What the program is allowed to do (see `users`).'),
  }),
);

const certificate = z.lazy(() =>
  section({
    name: text.describe('Common name or DNS name in the certificate.'),
    role: role.prefault('read').describe('What the program is allowed to do (see `users`).'),
  }),
);

const proxy = section(
  {
    userHeader: text.prefault('X-Forwarded-User').describe('HTTP header in which the proxy sends the user name.'),
    secret: optionalSecret('secret', 'Reads the secret that the proxy sends in `secretHeader` from this file.'),
    secretHeader: text.prefault('X-Proxy-Secret').describe('HTTP header in which the proxy sends its secret.'),
    certificate: optional(text).describe(
      "Common name or DNS name in the proxy's client certificate. If a secret is also set, the proxy must present " +
        'both.',
    ),
    role: role.prefault('read').describe('What users of the proxy are allowed to do.'),
  },
  proxyProvesItself,
);

/**
 * If the proxy did not prove its identity, any program on this machine, and anyone who can send requests through
 * another local proxy, could set the user name header.
 */
function proxyProvesItself(fields: Fields, report: Report): void {
  if (hasSecret('secret', fields) || given(fields, 'certificate')) return;
  report(null, 'expected "secretFile", "secretEnv" or "certificate", because otherwise anyone could send the header');
}

export type WebConfig = z.output<typeof web>;

export const web = section(
  {
    listen: listenAddress
      .prefault('127.0.0.1:9843')
      .describe(
        'Address to listen on. By default, only this machine can connect. Before you change this address, configure ' +
          '`tls` and `users`.',
      ),
    publicUrl: optional(webUrl('https://ftm.example.org/')).describe(
      'URL at which users open the status page, including any path that a proxy adds. If not set, messages do not ' +
        'link to the status page.',
    ),
    tls: optional(tls).describe('Serves the page over HTTPS instead of HTTP.'),
    users: unique(list(user), textAt('name')).describe(
      'Users who log in with a password (basic authentication). If no users, tokens, certificates or proxy are ' +
        'configured, no login is required.',
    ),
    tokens: unique(list(token), textAt('name')).describe(
      'Programs that log in with a token ("Authorization: Bearer").',
    ),
    certificates: unique(list(certificate), textAt('name')).describe(
      'Programs that log in with a client certificate from an authority in `tls.clientCaFile`.',
    ),
    proxy: optional(proxy).describe(
      "Reverse proxy that authenticates users. The header with the user name is accepted only with the proxy's " +
        'secret or client certificate.',
    ),
    anonymous: optional(choice('metrics', 'read')).describe(
      'What is allowed without a login. "metrics" allows only /metrics. "read" lets anyone read everything, and ' +
        'confirms that you intend this. Otherwise, a warning is shown.',
    ),
    plaintext: flag
      .prefault(false)
      .describe(
        'Set to true if plain HTTP is intentional, for example behind a TLS proxy. Otherwise a warning is shown.',
      ),
    localReload: flag
      .prefault(false)
      .describe(
        'Set to true to allow `POST /-/reload` over loopback without an account. Anyone who can use a reverse proxy ' +
          'or port forwarder on this machine can then reload the configuration.',
      ),
    hosts: list(lowerHostName).describe(
      'Host names under which the page can be opened without a login. IP addresses, localhost and names without a ' +
        'dot are always accepted.',
    ),
    probeTargets: list(hostPort(HTTPS_PORT)).describe(
      'Targets that /probe accepts in addition to the configured targets.',
    ),
  },
  certificatesNeedAuthorities,
);

function certificatesNeedAuthorities(fields: Fields, report: Report): void {
  if (given(fieldsOf(fields['tls']), 'clientCaFile')) return;
  const message = 'expected "tls.clientCaFile" as well, because client certificates are not verified without it';
  if (given(fieldsOf(fields['tls']), 'clientCrlFile')) report(['tls', 'clientCrlFile'], message);
  if (itemsOf(fields['certificates']).length > 0) report('certificates', message);
  if (given(fieldsOf(fields['proxy']), 'certificate')) report(['proxy', 'certificate'], message);
}

const DAY = 86_400_000;

export const store = section({
  path: laterFile.prefault('data/ftm-watch.sqlite').describe('Path of the SQLite database, in a writable folder.'),
  retention: duration(3650 * DAY)
    .prefault('90d')
    .describe('How long history is kept.'),
});
