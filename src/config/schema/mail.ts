import type * as z from 'zod';
import type { EmailConfig, MailRelay, MailSecurity, MailServerConfig } from '../config.ts';
import type { SchemaContext } from './context.ts';
import { readableFile, secretFile, secretFrom, secretVariable } from './files.ts';
import { endpointAt, type Fields, given, list, type Report, requireLogin, ruled, section, unique } from './rules.ts';
import { choice, host, mailAddress, namedMailAddress, port, text } from './values.ts';

/** The mail servers that FortiAuthenticator sends activation codes through. */
export function mailServers(context: SchemaContext): z.ZodType<readonly MailServerConfig[]> {
  const server = ruled(
    section({
      ...connection(context),
      from: mailAddress()
        .optional()
        .describe(
          'Sender of the rehearsal: the address that FortiAuthenticator sends from. Given together with `to`; ' +
            'without both the probe ends after the login.',
        ),
      to: mailAddress()
        .optional()
        .describe('Recipient of the rehearsal. It is only announced (RCPT TO) and taken back: no message is sent.'),
    }),
    (fields, report) => {
      requireLogin(fields, report);
      requireBothEnds(fields, report);
    },
  ).transform(({ from, to, ...rest }) => ({ ...relayOf(rest), from: from ?? null, to: to ?? null }));
  return unique(list(server), 'host', endpointAt);
}

/** Where notifications are mailed. */
export function email(context: SchemaContext): z.ZodType<EmailConfig> {
  const server = ruled(section(connection(context)), requireLogin).transform(relayOf);
  return section({
    from: namedMailAddress().describe('Sender of the notifications.'),
    to: list(mailAddress()).min(1, { error: 'expected at least one recipient' }).describe('Recipients.'),
    servers: unique(list(server).min(1, { error: 'expected at least one mail server' }), 'host', endpointAt).describe(
      'Mail servers, tried in this order. One that does not depend on the path under watch, such as localhost, ' +
        'belongs at the end.',
    ),
  });
}

interface Connection {
  readonly host: string;
  readonly port?: number | undefined;
  readonly security: MailSecurity;
  readonly user?: string | undefined;
  readonly passwordFile?: string | undefined;
  readonly passwordEnv?: string | undefined;
  readonly caFile?: string | undefined;
}

interface ConnectionShape {
  readonly host: z.ZodType<string>;
  readonly port: z.ZodOptional<z.ZodType<number>>;
  readonly security: z.ZodType<MailSecurity>;
  readonly user: z.ZodOptional<z.ZodType<string>>;
  readonly passwordFile: z.ZodOptional<z.ZodType<string>>;
  readonly passwordEnv: z.ZodOptional<z.ZodType<string>>;
  readonly caFile: z.ZodOptional<z.ZodType<string>>;
}

function connection(context: SchemaContext): ConnectionShape {
  return {
    host: host().describe('Host of the mail server.'),
    port: port()
      .meta({ absent: SMTP_PORT })
      .optional()
      .describe('Its TCP port; the default is 465 where `security` is tls.'),
    security: choice('starttls', 'tls', 'none')
      .prefault('starttls')
      .describe(
        'starttls: encryption is asked for after the greeting and must be granted. tls: from the first byte. none: ' +
          'no encryption.',
      ),
    user: text().optional().describe('User to log in as; without it there is no login.'),
    passwordFile: secretFile(context).optional().describe("File with the user's password."),
    passwordEnv: secretVariable(context)
      .optional()
      .describe('Environment variable with the password, instead of the file.'),
    caFile: readableFile(context)
      .optional()
      .describe(
        'PEM file of the authority that signed its certificate; without it the public authorities are trusted.',
      ),
  };
}

const SMTP_PORT = 25;
/** RFC 8314 §7.3. */
const SUBMISSIONS_PORT = 465;

function relayOf({ passwordFile, passwordEnv, ...rest }: Connection): MailRelay {
  return {
    host: rest.host,
    port: rest.port ?? (rest.security === 'tls' ? SUBMISSIONS_PORT : SMTP_PORT),
    security: rest.security,
    user: rest.user ?? null,
    password: secretFrom(passwordFile, passwordEnv),
    caFile: rest.caFile ?? null,
  };
}

function requireBothEnds(fields: Fields, report: Report): void {
  if (given(fields, 'from') && !given(fields, 'to'))
    report('from', 'expected "to" beside "from": the rehearsal needs both');
  if (given(fields, 'to') && !given(fields, 'from'))
    report('to', 'expected "from" beside "to": the rehearsal needs both');
}
