import type * as z from 'zod';
import { authorityFile } from './files.ts';
import { requireLogin } from './rules.ts';
import { optionalSecret } from './secret.ts';
import { completed, optional, section } from './section.ts';
import { choice, host, port, text } from './values.ts';

const SMTP_PORT = 25;
/** RFC 8314 §7.3. */
const SUBMISSIONS_PORT = 465;

const security = choice('starttls', 'tls', 'none');

/** The keys of a mail server and of how to log in to it. */
export const relayShape = {
  host: host.describe('Host of the mail server.'),
  port: port
    .meta({ default: SMTP_PORT })
    .optional()
    .describe('Its TCP port; the default is 465 where `security` is tls.'),
  security: security
    .prefault('starttls')
    .describe(
      'starttls: encryption is asked for after the greeting and must be granted. tls: from the first byte. none: ' +
        'no encryption.',
    ),
  user: optional(text).describe('User to log in as; without it there is no login.'),
  password: optionalSecret('password', "File with the user's password."),
  caFile: authorityFile,
} as const;

export type MailSecurity = z.output<typeof security>;
export type MailRelay = z.output<typeof mailRelay>;

/** A mail server to hand messages to. */
export const mailRelay = completed(section(relayShape, requireLogin), withPort);

export function withPort<Relay extends { readonly port: number | undefined; readonly security: MailSecurity }>(
  relay: Relay,
): Relay & { readonly port: number } {
  return { ...relay, port: relay.port ?? (relay.security === 'tls' ? SUBMISSIONS_PORT : SMTP_PORT) };
}
