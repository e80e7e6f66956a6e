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
        'Sender address that FortiAuthenticator uses. If `from` and `to` are set, the probe rehearses sending a ' +
          'message. Otherwise, it ends after the login.',
      ),
      to: optional(mailAddress).describe('Recipient for the rehearsal (RCPT TO). No message is sent.'),
      timeout: duration(10_000)
        .prefault('5s')
        .describe(
          'How long FortiAuthenticator waits for a reply from this server. A warning is raised if a reply takes ' +
            'longer.',
        ),
      required: flag
        .prefault(false)
        .describe(
          'Set to true if a fault of this server is critical even while another server in `mail` works. Otherwise, ' +
            'such a fault is a warning.',
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

export const mail = unique(list(mailServer), endpoint);

function requireBothEnds(fields: SectionFields, report: Report): void {
  if (given(fields, 'from') && !given(fields, 'to'))
    report('from', 'expected "to" in addition to "from", because the rehearsal needs both');
  if (given(fields, 'to') && !given(fields, 'from'))
    report('to', 'expected "from" in addition to "to", because the rehearsal needs both');
}

export interface MailServer extends MailServerConfig {
  /** The server was found through FortiAuthenticator's API, which does not return the login. */
  readonly isLoginUnknown?: true;
}

/** FortiAuthenticator's default timeout. The API does not return the configured timeout. */
export const USUAL_PATIENCE: Millis = 5000;
