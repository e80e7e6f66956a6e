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

/** `metrics` reads /metrics, /probe and /sd, `read` everything, `change` may silence and reload as well. */
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
    'PEM file with the certificate revocation lists of these authorities, one for each authority in a chain.',
  ),
});

const user = section({
  name: name.describe('User name.'),
  passwordHash: secret('hash', 'File with the scrypt or bcrypt hash of the password, made as docs/web.md says.'),
  role: role.prefault('change').describe(`What the user may do: ${WHAT_ROLES_MAY}`),
});

const token = section({
  name: name.describe('What messages and the audit trail call it.'),
  token: secret('token', 'File with the token.'),
  role: role.prefault('read').describe('What it may do, as for users.'),
});

const certificate = section({
  name: text.describe('Common name or DNS name in the certificate.'),
  role: role.prefault('read').describe('What it may do, as for users.'),
});

const proxy = section(
  {
    userHeader: text.prefault('X-Forwarded-User').describe('Header in which it names its user.'),
    secret: optionalSecret('secret', 'File with a secret that the proxy sends in `secretHeader`.'),
    secretHeader: text.prefault('X-Proxy-Secret').describe('Header in which the proxy sends its secret.'),
    certificate: optional(text).describe(
      'Common name or DNS name in its client certificate. If a secret is set as well, both are required.',
    ),
    role: role.prefault('read').describe('What its users may do.'),
  },
  proxyProvesItself,
);

/** Every program on this machine, and whoever sends through a proxy on it, can send a header. */
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
        'Where to listen. Only this machine can connect by default: configure `tls` and `users` before opening it.',
      ),
    publicUrl: optional(webUrl('https://ftm.example.org/')).describe(
      'Where people reach it, as a phone opens it, with the path where a proxy adds one. Messages link to incidents ' +
        'and runbooks there; without it they have no links.',
    ),
    tls: optional(tls).describe('Serve https instead of http.'),
    users: unique(list(user), textAt('name')).describe(
      'Who may see it (basic authentication). Nobody is asked while this list and the three below are empty.',
    ),
    tokens: unique(list(token), textAt('name')).describe('Programs that show a token ("Authorization: Bearer").'),
    certificates: unique(list(certificate), textAt('name')).describe(
      'Programs that show a client certificate under `tls.clientCaFile`.',
    ),
    proxy: optional(proxy).describe(
      'A reverse proxy that logs people in. Its header counts only with its secret or its client certificate.',
    ),
    anonymous: optional(choice('metrics', 'read')).describe(
      'What everybody may do who reaches it. "metrics": read /metrics, and nothing else without logging in. "read": ' +
        'that everybody may read it is meant, where it has no users; without this word it warns.',
    ),
    plaintext: flag
      .prefault(false)
      .describe('true: that passwords travel in clear is meant, since something else encrypts. Else it warns.'),
    localReload: flag
      .prefault(false)
      .describe(
        'true: `POST /-/reload` needs no account over the loopback interface. Everybody who reaches a reverse proxy or a ' +
          'port forwarder on this machine can then reload the configuration.',
      ),
    hosts: list(lowerHostName).describe(
      'Names under which it may be called without users, beside addresses, localhost and names without a dot. ' +
        'Any other name is refused then: a page on the internet can make its own name point here.',
    ),
    probeTargets: list(hostPort(HTTPS_PORT)).describe(
      'More targets that /probe accepts, beside those of this configuration. Anything else is refused: a monitor ' +
        'must not be a way into the network.',
    ),
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
