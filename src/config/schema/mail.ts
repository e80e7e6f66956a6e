import type * as z from 'zod';
import type { MailServerConfig } from '../config.ts';
import type { SchemaContext } from './context.ts';
import { relayKeys, relayOf } from './mail-relay.ts';
import { endpointAt, type Fields, given, list, type Report, requireLogin, ruled, section, unique } from './rules.ts';
import { mailAddress } from './values.ts';

/** The mail servers that FortiAuthenticator sends activation codes through. */
export function mailServers(context: SchemaContext): z.ZodType<readonly MailServerConfig[]> {
  const server = ruled(
    section({
      ...relayKeys(context),
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

function requireBothEnds(fields: Fields, report: Report): void {
  if (given(fields, 'from') && !given(fields, 'to'))
    report('from', 'expected "to" beside "from": the rehearsal needs both');
  if (given(fields, 'to') && !given(fields, 'from'))
    report('to', 'expected "from" beside "to": the rehearsal needs both');
}
