import type * as z from 'zod';
import { relayShape, withPort } from './secret.ts';
import {
  endpoint,
  type SectionFields,
  given,
  type Report,
  requireLogin,
  unique,
  completed,
  list,
  optional,
  section,
  duration,
  flag,
  mailAddress,
} from './section.ts';
import type { Millis } from '../../core/clock.ts';

const mailServer = completed(
  section(
    {
      ...relayShape,
      from: optional(mailAddress).describe(
        'Sender of the rehearsal: the address that FortiAuthenticator sends from. Set it together with `to`. ' +
          'Without both, the probe ends after the login.',
      ),
      to: optional(mailAddress).describe('Recipient of the rehearsal (RCPT TO). No message is sent.'),
      timeout: duration(10_000)
        .prefault('5s')
        .describe(
          'How long FortiAuthenticator waits for an answer of this server. A server that takes longer is a warning.',
        ),
      required: flag
        .prefault(false)
        .describe(
          'Whether a fault of this server is critical even if another server in `mail` works. By default it is a ' +
            'warning then.',
        ),
    },
    (fields, report) => {
      requireLogin(fields, report);
      requireBothEnds(fields, report);
    },
  ),
  withPort,
);

export type MailServerConfig = z.output<typeof mailServer>;

/** The mail servers through which FortiAuthenticator sends activation codes. */
export const mail = unique(list(mailServer), endpoint);

function requireBothEnds(fields: SectionFields, report: Report): void {
  if (given(fields, 'from') && !given(fields, 'to'))
    report('from', 'expected "to" beside "from": the rehearsal needs both');
  if (given(fields, 'to') && !given(fields, 'from'))
    report('to', 'expected "from" beside "to": the rehearsal needs both');
}

/** A mail server to test. */
export interface MailServer extends MailServerConfig {
  /** The server was reported by FortiAuthenticator, whose API does not report the login. */
  readonly isLoginUnknown?: true;
}

/** FortiAuthenticator's usual timeout. Its actual one is not reported. */
export const USUAL_PATIENCE: Millis = 5000;
