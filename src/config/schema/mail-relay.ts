import type * as z from 'zod';
import type { MailRelay, MailSecurity } from '../mail-relay.ts';
import type { SchemaContext } from './context.ts';
import { readableFile, secretFile, secretFrom, secretVariable } from './files.ts';
import { requireLogin, ruled, section } from './rules.ts';
import { choice, host, port, text } from './values.ts';

/** A mail server to hand messages to. */
export function mailRelay(context: SchemaContext): z.ZodType<MailRelay> {
  return ruled(section(relayKeys(context)), requireLogin).transform(relayOf);
}

interface RelayKeys {
  readonly host: string;
  readonly port?: number | undefined;
  readonly security: MailSecurity;
  readonly user?: string | undefined;
  readonly passwordFile?: string | undefined;
  readonly passwordEnv?: string | undefined;
  readonly caFile?: string | undefined;
}

interface RelayShape {
  readonly host: z.ZodType<string>;
  readonly port: z.ZodOptional<z.ZodType<number>>;
  readonly security: z.ZodType<MailSecurity>;
  readonly user: z.ZodOptional<z.ZodType<string>>;
  readonly passwordFile: z.ZodOptional<z.ZodType<string>>;
  readonly passwordEnv: z.ZodOptional<z.ZodType<string>>;
  readonly caFile: z.ZodOptional<z.ZodType<string>>;
}

export function relayKeys(context: SchemaContext): RelayShape {
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

export function relayOf({ passwordFile, passwordEnv, ...rest }: RelayKeys): MailRelay {
  return {
    host: rest.host,
    port: rest.port ?? (rest.security === 'tls' ? SUBMISSIONS_PORT : SMTP_PORT),
    security: rest.security,
    user: rest.user ?? null,
    password: secretFrom(passwordFile, passwordEnv),
    caFile: rest.caFile ?? null,
  };
}
